/** Prints the answers of commands. */
import type { DescMessage, MessageShape } from '@bufbuild/protobuf';
import { type Account, LimitKind } from '../../../gen/quittance/common/v1/account_pb.js';
import {
  DeclineReason,
  type Transaction,
  TransactionStatus,
} from '../../../gen/quittance/common/v1/transaction_pb.js';
import { DECLINED, DONE } from '../exit-codes.js';
import { wordOf } from '../flags.js';
import { put, say } from '../io.js';
import { printList, printOne } from '../printer.js';
import type { Session } from '../session.js';
import { jsonOf, type Sheet } from '../sheet.js';
import { ACCOUNTS } from '../sheets/accounts.js';
import { TRANSACTIONS } from '../sheets/transactions.js';

/** What every answer of a command says. */
interface Decided {
  readonly position: bigint;
  readonly replayed: boolean;
}

/** Prints the thing that a command made or changed; its JSON is the whole answer. */
export async function printAnswer<T, D extends DescMessage>(
  session: Session,
  sheet: Sheet<T>,
  row: T | undefined,
  {
    schema,
    message,
    decided,
  }: { readonly schema: D; readonly message: MessageShape<D>; readonly decided: Decided },
): Promise<void> {
  if (row !== undefined)
    await printOne(session.io, session.format, sheet, { row, whole: jsonOf(schema, message) });
  sayDecided(session, decided);
}

/** What the answers of commands that move money have in common. */
export interface BookedAnswer extends Decided {
  readonly transaction?: Transaction | undefined;
  readonly accounts: Account[];
}

/** Prints a transaction with the accounts it touched. @returns the exit code: a decline is an answer, and none that is done */
export async function printBooked<D extends DescMessage>(
  session: Session,
  schema: D,
  message: MessageShape<D> & BookedAnswer,
): Promise<number> {
  const { transaction, accounts } = message;
  if (transaction !== undefined)
    await printOne(session.io, session.format, TRANSACTIONS, {
      row: transaction,
      whole: jsonOf(schema, message),
    });
  await printTouched(session, accounts);
  sayDecided(session, message);
  if (transaction?.status !== TransactionStatus.DECLINED) return DONE;
  const { declineReason, declinedAccountId, exceededLimit } = transaction;
  const limit = exceededLimit === LimitKind.UNSPECIFIED ? '' : ` (${wordOf(LimitKind, exceededLimit)})`;
  say(session.io, `declined: ${wordOf(DeclineReason, declineReason)}${limit} at ${declinedAccountId}`);
  return DECLINED;
}

/** In a table the accounts follow below; the other forms keep to one kind of row. */
export async function printTouched({ io, format }: Session, accounts: readonly Account[]): Promise<void> {
  if (format.form !== 'table' || format.columns !== undefined || accounts.length === 0) return;
  await put(io, '\n');
  await printList(io, format, ACCOUNTS, from(accounts));
}

/** Says whether it is new, a replay, or nothing but a preview. */
export function sayDecided({ io, isDryRun }: Session, { position, replayed }: Decided): void {
  if (isDryRun) say(io, 'dry run: this is what would happen now; nothing was stored');
  else say(io, `${replayed ? 'replayed: it was done before, at' : 'done at'} position ${String(position)}`);
}

/** Rows that are there. */
export async function* from<T>(rows: readonly T[]): AsyncGenerator<T> {
  yield* rows;
}
