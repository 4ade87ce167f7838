/** Whether a ledger is in the log. */
import type { LogReader } from '../../../lib/log/reader.js';
import { ledgerNotFound } from './answers.js';

/**
 * For methods that do not read the history view: a ledger begins with the first of its events in the log.
 * @throws CallError LEDGER_NOT_FOUND
 */
export async function requireLedgerInLog(log: LogReader, ledgerId: string): Promise<void> {
  const first = await log.page({ after: -1n, through: null, limit: 1, ledgerId, streamId: null });
  if (first.length === 0) throw ledgerNotFound(ledgerId);
}
