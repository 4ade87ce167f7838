/** The structured log of every service. */
import type { Logger } from 'pino';

export type Log = Logger;
