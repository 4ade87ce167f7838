/** What the ledger says of the accounts of a file, before anything is sent that would change it. */
import { describe, serverErrorOf } from '../client/errors.js';
import { accountOf, type LedgerAccount, outcomeOf } from './answers.js';
import {
  createLedgerCommand,
  type ImportTarget,
  movementCommand,
  openAccountCommand,
  readAccountCommand,
} from './commands.js';
import { ask, type Connection } from './connection.js';
import { type Movement, movementsOf } from './movement.js';
import { BadFileError, Problems } from './problems.js';
import type { ReadableFile } from './read-file.js';
import type { Survey, SurveyedAccount } from './survey.js';
import { Tally } from './tally.js';

/**
 * Whether a movement is in the ledger: never sent, declined whenever it was sent, as the file says it, or under the same id
 * in another form.
 */
export type Presence =
  | { readonly kind: 'absent' | 'declined' }
  | { readonly kind: 'booked'; readonly posted: bigint | undefined }
  | { readonly kind: 'other'; readonly problem: string };

/** How far the ledger has an account's movements of the file. */
export interface Progress {
  /** How many of its first movements are in the ledger. */
  readonly booked: number;
  /** Whether the next one was sent before, and declined. */
  readonly wasDeclined: boolean;
  /** The lowest sum of the amounts that are not in the ledger, at most zero. */
  readonly lowestSum: bigint;
}

/** What the ledger has of one account of the file. */
export type Inspected =
  | { readonly kind: 'new' }
  | { readonly kind: 'closed'; readonly progress: Progress }
  | { readonly kind: 'existing'; readonly account: LedgerAccount; readonly progress: Progress };

/** What the ledger has. */
export interface Inspection {
  readonly ledgerExists: boolean;
  /** Has the first movements of each account that are in the ledger, compared with the file. */
  readonly tally: Tally;
  readonly accounts: ReadonlyMap<string, Inspected>;
}

/** A movement is tried anew after each decline, once per run. So many runs are not made by people. */
const MAX_ATTEMPTS = 1000;
const ABSENT: Presence = { kind: 'absent' };
/** Movements that are looked up in one go. */
const LOOK_UP_SIZE = 5000;

/** Asks, and changes nothing. @throws BadFileError if the ledger refuses what the file asks for; SendError. */
export async function inspectLedger(
  connection: Connection,
  target: ImportTarget,
  survey: Survey,
  file: ReadableFile,
): Promise<Inspection> {
  const ledgerExists = await askForLedger(connection, target);
  const accounts = new Map<string, Inspected>(
    [...survey.accounts.keys()].map((accountId) => [accountId, { kind: 'new' }]),
  );
  const tally = new Tally();
  if (!ledgerExists) return { ledgerExists, tally, accounts };
  const existing = await askWhichExist(connection, target, survey);
  const states = await readAccounts(connection, target, existing);
  const progresses = await progressOf(connection, target, file, { existing, tally });
  for (const { accountId, lowestSum } of existing) {
    const account = states.get(accountId);
    const progress = progresses.get(accountId) ?? { booked: 0, wasDeclined: false, lowestSum };
    accounts.set(
      accountId,
      account === undefined ? { kind: 'closed', progress } : { kind: 'existing', account, progress },
    );
  }
  return { ledgerExists, tally, accounts };
}

async function askForLedger(connection: Connection, target: ImportTarget): Promise<boolean> {
  let exists = false;
  const command = createLedgerCommand(target, { validateOnly: true });
  await ask(connection, 'ledger   ', [{ about: target.ledgerId, command }], (_, answer) => {
    if (answer.case === 'createLedger') exists = answer.value.replayed;
    else if (answer.case === 'error') exists = isExistence(serverErrorOf(answer.value).reason);
  });
  return exists;
}

/** Whether an error only says that there is one already. */
export function isExistence(reason: string): boolean {
  return /^(LEDGER|ACCOUNT)_ALREADY_EXISTS$|^REQUEST_ID_REUSED$/.test(reason);
}

async function askWhichExist(
  connection: Connection,
  target: ImportTarget,
  { accounts }: Survey,
): Promise<SurveyedAccount[]> {
  const existing: SurveyedAccount[] = [];
  const problems = new Problems();
  const questions = [...accounts.values()].map((about) => ({
    about,
    command: openAccountCommand(target, { ...about, overdraftLimit: 0n }, { validateOnly: true }),
  }));
  await ask(connection, 'accounts ', questions, (about, answer) => {
    if (answer.case === 'openAccount' && !answer.value.replayed) return;
    const error = answer.case === 'error' ? serverErrorOf(answer.value) : undefined;
    if (error === undefined || isExistence(error.reason)) existing.push(about);
    else problems.add(about.line, `account ${about.accountId} cannot be opened: ${describe(error)}`);
  });
  problems.throwIfAny();
  return existing;
}

/** The accounts that are not closed. */
async function readAccounts(
  connection: Connection,
  target: ImportTarget,
  existing: readonly SurveyedAccount[],
): Promise<Map<string, LedgerAccount>> {
  const states = new Map<string, LedgerAccount>();
  const questions = existing.map(({ accountId }) => ({
    about: accountId,
    command: readAccountCommand(target, accountId),
  }));
  await ask(connection, 'balances ', questions, (accountId, answer) => {
    const account = accountOf(answer);
    if (!('reason' in account)) states.set(accountId, account);
    else if (account.reason !== 'ACCOUNT_IS_CLOSED')
      throw new BadFileError([`account ${accountId} cannot be read: ${describe(account)}`]);
  });
  return states;
}

/**
 * How far the ledger has each account. If it has neither the first nor the last movement, it has none; of other accounts every
 * movement is looked up, since one in the middle may have been declined.
 */
async function progressOf(
  connection: Connection,
  target: ImportTarget,
  file: ReadableFile,
  { existing, tally }: { readonly existing: readonly SurveyedAccount[]; readonly tally: Tally },
): Promise<Map<string, Progress>> {
  const ends = existing.flatMap(({ first, last }) => [first, last]).filter((each) => each !== undefined);
  const present = await lookUp(connection, target, ends);
  const progresses = new Map<string, Progress>();
  const partly = new Map<string, Partly>();
  for (const { accountId, first, last, lowestSum } of existing) {
    if (first === undefined || last === undefined) continue;
    const begun = present.get(first.movementId) ?? ABSENT;
    const ended = present.get(last.movementId) ?? ABSENT;
    if (isThere(begun) || isThere(ended))
      partly.set(accountId, { booked: 0, wasDeclined: false, lowestSum: 0n, sum: 0n, isOver: false });
    else progresses.set(accountId, { booked: 0, wasDeclined: begun.kind === 'declined', lowestSum });
  }
  if (partly.size > 0) await walk(connection, target, file, { partly, tally });
  for (const [accountId, progress] of partly) progresses.set(accountId, progress);
  return progresses;
}

function isThere({ kind }: Presence): boolean {
  return kind === 'booked' || kind === 'other';
}

/** A progress that is being found out. */
interface Partly {
  booked: number;
  wasDeclined: boolean;
  lowestSum: bigint;
  sum: bigint;
  /** Whether a movement that is missing has been seen. */
  isOver: boolean;
}

async function walk(
  connection: Connection,
  target: ImportTarget,
  file: ReadableFile,
  { partly, tally }: { readonly partly: ReadonlyMap<string, Partly>; readonly tally: Tally },
): Promise<void> {
  for await (const some of inParts(file, ({ accountId }) => partly.has(accountId))) {
    const present = await lookUp(connection, target, some);
    for (const movement of some) {
      const progress = partly.get(movement.accountId);
      if (progress === undefined) continue;
      const presence = present.get(movement.movementId) ?? ABSENT;
      if (!isThere(presence)) miss(progress, movement, presence);
      else if (!progress.isOver) {
        // It need not be sent: its answer of then is here.
        progress.booked += 1;
        if (presence.kind === 'booked') tally.posted(movement, presence.posted, true);
        else if (presence.kind === 'other') tally.refused(movement, presence.problem);
      }
    }
  }
}

function miss(progress: Partly, { amount }: Movement, presence: Presence): void {
  if (!progress.isOver) progress.wasDeclined = presence.kind === 'declined';
  progress.isOver = true;
  progress.sum += amount;
  if (progress.sum < progress.lowestSum) progress.lowestSum = progress.sum;
}

/** Movements that move something, some thousand at a time: a file may be larger than memory. */
async function* inParts(
  file: ReadableFile,
  isWanted: (movement: Movement) => boolean,
): AsyncGenerator<Movement[]> {
  let part: Movement[] = [];
  for await (const movement of movementsOf(file.records(new Problems()))) {
    if (movement.amount === 0n || !isWanted(movement)) continue;
    part.push(movement);
    if (part.length < LOOK_UP_SIZE) continue;
    yield part;
    part = [];
  }
  if (part.length > 0) yield part;
}

/** Finds movements in the ledger by asking what they would come to: what is booked answers as it did then. */
async function lookUp(
  connection: Connection,
  target: ImportTarget,
  movements: readonly Movement[],
): Promise<Map<string, Presence>> {
  const present = new Map<string, Presence>();
  let open = movements;
  for (let attempt = 1; open.length > 0 && attempt <= MAX_ATTEMPTS; attempt += 1) {
    const declined: Movement[] = [];
    const questions = open.flatMap((about) => {
      const command = movementCommand(target, about, { attempt, validateOnly: true });
      return command === undefined ? [] : [{ about, command }];
    });
    await ask(connection, 'movements', questions, (movement, answer) => {
      const outcome = outcomeOf(movement.accountId, answer);
      const { movementId } = movement;
      if (outcome.kind === 'declined' && outcome.replayed) {
        present.set(movementId, { kind: 'declined' });
        declined.push(movement);
      } else if (outcome.kind === 'posted' && outcome.replayed)
        present.set(movementId, { kind: 'booked', posted: outcome.posted });
      else if (outcome.kind === 'refused' && outcome.error.reason === 'REQUEST_ID_REUSED')
        present.set(movementId, { kind: 'other', problem: `not booked, ${describe(outcome.error)}` });
    });
    open = declined;
  }
  return present;
}

/** How many movements are in the ledger already, and how many under the same id in another form. */
export interface AlreadyBooked {
  readonly same: number;
  readonly other: number;
}

/** Counts them. */
export async function countBooked(
  connection: Connection,
  target: ImportTarget,
  file: ReadableFile,
  { accounts }: Inspection,
): Promise<AlreadyBooked> {
  let same = 0;
  let other = 0;
  for await (const some of inParts(file, ({ accountId }) => accounts.get(accountId)?.kind !== 'new')) {
    for (const presence of (await lookUp(connection, target, some)).values()) {
      if (presence.kind === 'booked') same += 1;
      else if (presence.kind === 'other') other += 1;
    }
  }
  return { same, other };
}
