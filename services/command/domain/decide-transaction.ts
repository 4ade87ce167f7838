/** UpdateTransaction: what people wrote about a transaction, and nothing else. */
import type { UpdateTransaction } from './command.js';
import { type Decision, happened, type LedgerReader } from './decision.js';
import { existingTransaction } from './existence.js';

/** Changes description and metadata of any transaction, also of a declined one. */
export function decideUpdateTransaction(command: UpdateTransaction, ledger: LedgerReader): Decision {
  const before = existingTransaction(ledger, command.transactionId);
  const after = {
    ...before,
    description: command.description ?? before.description,
    metadata: command.metadata ?? before.metadata,
    annotated: true,
    version: before.version + 1n,
  };
  return happened({ type: 'TransactionUpdated', accounts: [], transactions: [after] });
}
