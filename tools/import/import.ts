/** The import itself: two passes over a file, and what came of every row. */
import { DeclineReason, TransactionStatus } from '../../gen/quittance/common/v1/transaction_pb.js';
import { describe, serverErrorOf } from '../client/errors.js';
import type { GrpcClient } from '../client/grpc-client.js';
import {
  type AccountToOpen,
  createLedgerCommand,
  type ImportTarget,
  movementCommand,
  openAccountCommand,
} from './commands.js';
import { type Movement, readMovements } from './movements.js';
import { type Answer, type Item, sendAll } from './send.js';

/** Who is told how it goes; the entry file draws it. */
export interface ImportListener {
  /** A pass begins; `total` commands are to be sent. */
  begin(title: string, total: number): void;
  /** How many of the pass are answered. */
  progress(done: number): void;
  end(): void;
  /** A line worth reading: a note, a lost connection. */
  note(line: string): void;
}

/** A row whose balance is not the printed one, or that was not booked at all. */
export interface Mismatch {
  readonly movement: Movement;
  /** The account's posted balance right after the row; undefined if the row was not booked. */
  readonly posted: bigint | undefined;
  /** What happened instead of booking; empty if it was booked. */
  readonly problem: string;
}

/** What came of a file. */
export interface ImportSummary {
  readonly rows: number;
  readonly accounts: number;
  /** Rows whose printed balance equals the posted one. */
  readonly matches: number;
  /** Rows that an earlier run had booked. */
  readonly replayed: number;
  /** Rows with an amount of zero: nothing to book, nothing to compare. */
  readonly empty: number;
  readonly mismatches: readonly Mismatch[];
}

/** What a first pass over the file finds. */
interface Survey {
  rows: number;
  empty: number;
  readonly lowest: Map<string, bigint>;
}

/** Imports a file. @throws BadRowError before anything is sent; SendError when the server stays away. */
export async function importFile(
  file: string,
  target: ImportTarget,
  client: GrpcClient,
  options: { readonly patience_ms: number; readonly listener: ImportListener },
): Promise<ImportSummary> {
  const found = await survey(file);
  await openAccounts(found, target, client, options);
  return bookMovements(file, found, target, client, options);
}

async function survey(file: string): Promise<Survey> {
  const found: Survey = { rows: 0, empty: 0, lowest: new Map() };
  for await (const { accountId, amount, balanceAfter } of readMovements(file)) {
    found.rows += 1;
    if (amount === 0n) found.empty += 1;
    const lowest = found.lowest.get(accountId);
    if (lowest === undefined || balanceAfter < lowest) found.lowest.set(accountId, balanceAfter);
  }
  return found;
}

async function openAccounts(
  { lowest }: Survey,
  target: ImportTarget,
  client: GrpcClient,
  { patience_ms, listener }: { readonly patience_ms: number; readonly listener: ImportListener },
): Promise<void> {
  const accounts: AccountToOpen[] = [...lowest].map(([accountId, lowestBalance]) => ({
    accountId,
    lowestBalance,
  }));
  let done = 0;
  listener.begin('accounts ', accounts.length + 1);
  await sendAll(client, openingCommands(target, accounts), {
    patience_ms,
    onRetry: (why) => listener.note(`trying again: ${why}`),
    onAnswer: (name, answer) => {
      listener.progress((done += 1));
      const problem = openingProblem(name, answer);
      if (problem !== '') listener.note(problem);
    },
  });
  listener.end();
}

async function* openingCommands(
  target: ImportTarget,
  accounts: readonly AccountToOpen[],
): AsyncGenerator<Item<string>> {
  yield { about: `ledger ${target.ledgerId}`, command: createLedgerCommand(target) };
  for (const account of accounts) {
    yield { about: `account ${account.accountId}`, command: openAccountCommand(target, account) };
  }
}

/** What somebody else made before is used as it is; whether it will do, the rows show. */
function openingProblem(name: string, answer: Answer): string {
  if (answer.case !== 'error') return '';
  const error = serverErrorOf(answer.value);
  switch (error.reason) {
    case 'LEDGER_ALREADY_EXISTS':
      return '';
    case 'ACCOUNT_ALREADY_EXISTS':
    case 'REQUEST_ID_REUSED':
      return `${name} exists already and is used as it is`;
    default:
      return `${name}: ${describe(error)}`;
  }
}

async function bookMovements(
  file: string,
  { rows, empty, lowest }: Survey,
  target: ImportTarget,
  client: GrpcClient,
  { patience_ms, listener }: { readonly patience_ms: number; readonly listener: ImportListener },
): Promise<ImportSummary> {
  const mismatches: Mismatch[] = [];
  let done = 0;
  let replayed = 0;
  listener.begin('movements', rows - empty);
  await sendAll(client, movementCommands(file, target), {
    patience_ms,
    onRetry: (why) => listener.note(`trying again: ${why}`),
    onAnswer: (movement, answer) => {
      listener.progress((done += 1));
      const outcome = outcomeOf(movement, answer);
      if (outcome.replayed) replayed += 1;
      if (outcome.posted !== movement.balanceAfter) mismatches.push({ movement, ...outcome });
    },
  });
  listener.end();
  return {
    rows,
    accounts: lowest.size,
    matches: done - mismatches.length,
    replayed,
    empty,
    mismatches,
  };
}

async function* movementCommands(file: string, target: ImportTarget): AsyncGenerator<Item<Movement>> {
  for await (const movement of readMovements(file)) {
    const command = movementCommand(target, movement);
    if (command !== undefined) yield { about: movement, command };
  }
}

/** What a row's own answer says of its account. */
function outcomeOf(
  { accountId }: Movement,
  answer: Answer,
): { posted: bigint | undefined; problem: string; replayed: boolean } {
  switch (answer.case) {
    case 'deposit':
    case 'withdraw': {
      const { transaction, accounts, replayed } = answer.value;
      if (transaction?.status === TransactionStatus.DECLINED) {
        const problem = `declined: ${DeclineReason[transaction.declineReason]}`;
        return { posted: undefined, problem, replayed };
      }
      const account = accounts.find((touched) => touched.accountId === accountId);
      return { posted: account?.balance?.posted, problem: '', replayed };
    }
    case 'error':
      return { posted: undefined, problem: describe(serverErrorOf(answer.value)), replayed: false };
    default:
      return {
        posted: undefined,
        problem: `an answer of another kind (${String(answer.case)})`,
        replayed: false,
      };
  }
}
