/** Ledgers. */
import type { CreateLedger } from './command.js';
import { type Decision, happened, type LedgerReader, refusal, refuse } from './decision.js';

/** Creates a ledger, once. */
export function decideCreateLedger(command: CreateLedger, ledger: LedgerReader): Decision {
  const { ledgerId, description, metadata } = command;
  if (ledger.exists()) {
    const at = { field: 'ledger_id', resourceId: ledgerId };
    return refuse(refusal('LEDGER_ALREADY_EXISTS', `Ledger ${ledgerId} exists already.`, at));
  }
  return happened({ type: 'LedgerCreated', ledgerId, description, metadata });
}
