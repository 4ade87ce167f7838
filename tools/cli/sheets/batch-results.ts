/** How the results of a batch are shown: a row for each command. */
import type { CommandResult } from '../../../gen/quittance/command/v1/transaction_command_service_pb.js';
import { DeclineReason, TransactionStatus } from '../../../gen/quittance/common/v1/transaction_pb.js';
import { serverErrorOf } from '../../client/errors.js';
import { wordOf } from '../flags.js';
import type { Sheet } from '../sheet.js';

export interface BatchRow {
  readonly index: number;
  readonly command: string;
  readonly requestId: string;
  /** The status of the transaction that was made, `done` where none is, or `error`. */
  readonly status: string;
  /** Of a decline or an error. */
  readonly reason: string;
  readonly message: string;
  readonly isReplayed: boolean;
}

export const BATCH_RESULTS: Sheet<BatchRow> = {
  columns: [
    { name: 'index', of: ({ index }) => String(index), isRight: true },
    { name: 'command', of: ({ command }) => command },
    { name: 'request', of: ({ requestId }) => requestId },
    { name: 'status', of: ({ status }) => status },
    { name: 'reason', of: ({ reason }) => reason },
    { name: 'message', of: ({ message }) => message },
    { name: 'replayed', of: ({ isReplayed }) => (isReplayed ? 'yes' : '') },
  ],
  id: ({ requestId }) => requestId,
  json: ({ index, command, requestId, status, reason, message, isReplayed }) => ({
    index,
    command,
    requestId,
    status,
    reason,
    message,
    replayed: isReplayed,
  }),
};

/** What became of a command. */
export function outcomeOf({ result }: CommandResult): Omit<BatchRow, 'index' | 'command' | 'requestId'> {
  if (result.case === undefined) throw new Error('the server answered a command with nothing');
  if (result.case === 'error') {
    const { reason, message, fields } = serverErrorOf(result.value);
    const at = fields.length === 0 ? '' : ` (${fields.join(', ')})`;
    return { status: 'error', reason, message: `${message}${at}`, isReplayed: false };
  }
  const { replayed: isReplayed } = result.value;
  const transaction = 'transaction' in result.value ? result.value.transaction : undefined;
  if (transaction === undefined) return { status: 'done', reason: '', message: '', isReplayed };
  const { status, declineReason } = transaction;
  return {
    status: wordOf(TransactionStatus, status),
    reason: wordOf(DeclineReason, declineReason),
    message: '',
    isReplayed,
  };
}
