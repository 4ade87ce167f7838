/** All that can be typed. */
import { ACCOUNT } from './commands/account.js';
import { ASSET } from './commands/asset.js';
import { BATCH } from './commands/batch.js';
import { completionOf } from './commands/completion.js';
import { CONFIG } from './commands/config.js';
import { DEAD_LETTER } from './commands/dead-letter.js';
import { ENTRY } from './commands/entry.js';
import { EVENT } from './commands/event.js';
import { EXPLAIN } from './commands/explain.js';
import { IDS } from './commands/ids.js';
import { LEDGER } from './commands/ledger.js';
import { PAYMENT } from './commands/payment.js';
import { PROJECTION } from './commands/projection.js';
import { REPORT } from './commands/report.js';
import { SCHEDULE } from './commands/schedule.js';
import { shellOf } from './commands/shell.js';
import { STATUS } from './commands/status.js';
import { TRANSACTION } from './commands/transaction.js';
import { VERIFY } from './commands/verify.js';
import { WEBHOOK } from './commands/webhook.js';
import { PROGRAMS } from './programs.js';
import type { Noun, Verb } from './verb.js';

export const NOUNS: readonly Noun[] = [
  LEDGER,
  ASSET,
  ACCOUNT,
  PAYMENT,
  TRANSACTION,
  ENTRY,
  EVENT,
  REPORT,
  BATCH,
  PROJECTION,
  DEAD_LETTER,
  SCHEDULE,
  WEBHOOK,
  CONFIG,
];

const programs = PROGRAMS.map(({ path }) => path);
const CALLING: readonly Verb[] = [STATUS, VERIFY, EXPLAIN, IDS];
const VERBS: readonly Verb[] = [...CALLING, shellOf({ nouns: NOUNS, verbs: CALLING, programs })];

export const TOP_VERBS: readonly Verb[] = [...VERBS, completionOf({ nouns: NOUNS, verbs: VERBS, programs })];
