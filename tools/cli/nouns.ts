/** All that can be typed. */
import { ACCOUNT } from './commands/account.js';
import { CONFIG } from './commands/config.js';
import { DEAD_LETTER } from './commands/dead-letter.js';
import { ENTRY } from './commands/entry.js';
import { LEDGER } from './commands/ledger.js';
import { PAYMENT } from './commands/payment.js';
import { PROJECTION } from './commands/projection.js';
import { STATUS } from './commands/status.js';
import { TRANSACTION } from './commands/transaction.js';
import type { Noun, Verb } from './verb.js';

export const NOUNS: readonly Noun[] = [
  LEDGER,
  ACCOUNT,
  PAYMENT,
  TRANSACTION,
  ENTRY,
  PROJECTION,
  DEAD_LETTER,
  CONFIG,
];

export const TOP_VERBS: readonly Verb[] = [STATUS];
