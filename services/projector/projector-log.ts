/** Where the projector writes its log lines. */
import type { Log } from '../../lib/base/logging.js';

export type ProjectorLog = Pick<Log, 'info' | 'warn' | 'error'>;
