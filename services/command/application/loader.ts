/** Fills the memory of the write side from the state tables: set-based, one round trip per kind of entity. */
import type { Account } from '../domain/account.js';
import type { Command } from '../domain/command.js';
import { type Known, needs } from '../domain/needs.js';
import { accountProfileOf, accountStateOf, changed, transactionStateOf } from './decode.js';
import { transactionChangeOf, transactionOf } from '../../../lib/log/transaction-of.js';
import type { AccountRow, AtCheckpoint, LedgerRow, TransactionRow } from '../../../lib/log/state/rows.js';
import { entityKey } from './entity-key.js';
import { type Memory, WHOLE_LEDGER } from './memory.js';
import { expiriesBefore } from './open-holds.js';

/** The reads of the state tables; lib/log/state has them for PostgreSQL. */
export interface StateReader {
  ledgers(ledgerIds: readonly string[]): Promise<AtCheckpoint<LedgerRow>>;
  accounts(keys: readonly { ledgerId: string; accountId: string }[]): Promise<AtCheckpoint<AccountRow>>;
  transactions(
    keys: readonly { ledgerId: string; transactionId: string }[],
  ): Promise<AtCheckpoint<TransactionRow>>;
}

/** The checkpoint in the database is below the tail in memory: Postgres lost one that was never synchronized. */
export class CheckpointLost extends Error {
  override readonly name = 'CheckpointLost';
}

interface Missing {
  /** The commands that were the first to need something that is missing. */
  commands: number;
  readonly ledgers: Set<string>;
  readonly accounts: Map<string, { ledgerId: string; accountId: string }>;
  readonly transactions: Map<string, { ledgerId: string; transactionId: string }>;
}

/** Commands that found in memory all that they read, and those that the state tables were read for. */
export interface Lookups {
  hit: number;
  miss: number;
}

/** What is filled, from where, and what counts it. */
export interface Loading {
  readonly memory: Memory;
  readonly reader: StateReader;
  readonly lookups: Lookups;
}

/** A chain of payment, root and accounts takes three rounds; the rest is for checkpoints that move meanwhile. */
const ROUNDS = 8;

/**
 * Loads all that these commands need and that is not known, with the holds that expire before them at `now`, UTC microseconds.
 * @throws CheckpointLost, and what the reader throws
 */
export async function load(
  { memory, reader, lookups }: Loading,
  commands: readonly Command[],
  now: bigint,
): Promise<void> {
  for (let round = 0; round < ROUNDS; round += 1) {
    const missing = missingFor(memory, commands, now);
    if (round === 0) {
      lookups.hit += commands.length - missing.commands;
      lookups.miss += missing.commands;
    }
    if (sizeOf(missing) === 0) return;
    await fill(memory, reader, missing);
  }
}

function missingFor(memory: Memory, commands: readonly Command[], now: bigint): Missing {
  const missing: Missing = { commands: 0, ledgers: new Set(), accounts: new Map(), transactions: new Map() };
  for (const command of commands) {
    const before = sizeOf(missing);
    const known = knownIn(memory, command.ledgerId);
    addMissing(missing, memory, command, known);
    for (const expiry of expiriesBefore(command, memory.holds, known.transaction, now)) {
      addMissing(missing, memory, expiry, known);
    }
    if (sizeOf(missing) > before) missing.commands += 1;
  }
  return missing;
}

function sizeOf({ ledgers, accounts, transactions }: Missing): number {
  return ledgers.size + accounts.size + transactions.size;
}

function knownIn(memory: Memory, ledgerId: string): Known {
  return {
    account: (id) => memory.accounts.known(ledgerId, id) !== undefined,
    transaction: (id) => {
      const known = memory.transaction(ledgerId, id);
      return known === undefined ? 'unknown' : (known ?? undefined);
    },
  };
}

function addMissing(missing: Missing, memory: Memory, command: Command, known: Known): void {
  const { ledgerId } = command;
  if (memory.ledgers.known(ledgerId, WHOLE_LEDGER) === undefined) missing.ledgers.add(ledgerId);
  const needed = needs(command, known);
  for (const accountId of needed.accounts) {
    missing.accounts.set(entityKey(ledgerId, accountId), { ledgerId, accountId });
  }
  for (const transactionId of needed.transactions) {
    missing.transactions.set(entityKey(ledgerId, transactionId), { ledgerId, transactionId });
  }
}

async function fill(memory: Memory, reader: StateReader, missing: Missing): Promise<void> {
  const { tailFrom } = memory;
  const ledgerIds = [...missing.ledgers];
  const accountKeys = [...missing.accounts.values()];
  const transactionKeys = [...missing.transactions.values()];
  const [ledgers, accounts, transactions] = await Promise.all([
    ledgerIds.length === 0 ? null : reader.ledgers(ledgerIds),
    accountKeys.length === 0 ? null : reader.accounts(accountKeys),
    transactionKeys.length === 0 ? null : reader.transactions(transactionKeys),
  ]);
  if (ledgers !== null && usable(memory, tailFrom, ledgers.checkpoint)) {
    const found = new Map(ledgers.rows.map((row) => [row.ledgerId, row]));
    for (const ledgerId of ledgerIds) {
      const row = found.get(ledgerId);
      memory.ledgers.fill(
        ledgerId,
        WHOLE_LEDGER,
        row === undefined ? null : { closedThrough: row.closedThrough },
      );
    }
  }
  if (accounts !== null && usable(memory, tailFrom, accounts.checkpoint)) {
    const found = new Map(accounts.rows.map((row) => [entityKey(row.ledgerId, row.accountId), row]));
    for (const [key, { ledgerId, accountId }] of missing.accounts) {
      const row = found.get(key);
      memory.accounts.fill(ledgerId, accountId, row === undefined ? null : accountOf(row));
    }
  }
  if (transactions !== null && usable(memory, tailFrom, transactions.checkpoint)) {
    for (const row of transactions.rows) {
      const transaction = transactionOfRow(row, memory.end.position);
      // It may have been made while the log was read: then the tail has it.
      if (transaction === null && memory.hasRequest(row.ledgerId, row.transactionId)) continue;
      memory.transactions.fill(row.ledgerId, row.transactionId, transaction);
    }
  }
}

/**
 * Whether rows of a checkpoint may be taken in: the tail must still reach back to it. If it was moved while we read, we
 * read again; if the database itself has fallen behind the tail that we had when we began, it has lost a checkpoint.
 */
function usable(memory: Memory, tailFromBefore: bigint, checkpoint: bigint): boolean {
  if (checkpoint < tailFromBefore) throw new CheckpointLost();
  return checkpoint >= memory.tailFrom;
}

function accountOf(row: AccountRow): Account {
  return { state: accountStateOf(row.state), profile: accountProfileOf(row.profile) };
}

/** What was committed beyond our own end does not exist for us yet: the guard would refuse what we made of it. */
function transactionOfRow({ transactionId, made, state }: TransactionRow, end: bigint) {
  if (made === undefined || made.position > end) return null;
  const transaction = transactionOf(made.event);
  if (transaction === undefined) return null;
  const born = transactionStateOf(transaction);
  return state === undefined ? born : changed(born, transactionChangeOf(transactionId, state));
}
