/** Carries out a plan: makes the ledger, opens accounts, raises limits, books opening balances. */
import { describe, serverErrorOf } from '../client/errors.js';
import { accountOf, outcomeOf } from './answers.js';
import {
  createLedgerCommand,
  type ImportTarget,
  openAccountCommand,
  openingBalanceCommand,
  readAccountCommand,
  setLimitCommand,
} from './commands.js';
import { ask, type Connection } from './connection.js';
import { moneyText } from './fields.js';
import { isExistence } from './inspect.js';
import type { AccountPlan, Plan } from './plan.js';

/** The ledger does not do what the plan needs. */
export class PreparationError extends Error {
  override readonly name = 'PreparationError';
}

/** Another client may change an account between the look and the change. */
const MAX_LIMIT_TRIES = 10;

/** @returns the accounts that another client has opened meanwhile. @throws PreparationError, SendError */
export async function prepareLedger(
  connection: Connection,
  target: ImportTarget,
  plan: Plan,
): Promise<ReadonlySet<string>> {
  const others = await openAccounts(connection, target, plan);
  await raiseLimits(connection, target, plan);
  await bookOpenings(connection, target, plan);
  return others;
}

async function openAccounts(
  connection: Connection,
  target: ImportTarget,
  { ledgerExists, accounts }: Plan,
): Promise<Set<string>> {
  const others = new Set<string>();
  const opened = accounts.filter(({ isNew }) => isNew);
  const commands = [
    ...(ledgerExists ? [] : [{ about: undefined, command: createLedgerCommand(target) }]),
    ...opened.map((about) => ({
      about,
      command: openAccountCommand(target, { ...about, overdraftLimit: about.limit ?? 0n }),
    })),
  ];
  await ask(connection, 'accounts ', commands, (about, answer) => {
    const name = about === undefined ? `ledger ${target.ledgerId}` : `account ${about.accountId}`;
    if (answer.case === 'error') {
      const error = serverErrorOf(answer.value);
      // Another import of the same file may have been faster.
      if (isExistence(error.reason)) {
        if (about !== undefined) others.add(about.accountId);
        return;
      }
      throw new PreparationError(`${name} cannot be made: ${describe(error)}`);
    }
    if (about !== undefined && answer.case === 'openAccount' && answer.value.replayed)
      others.add(about.accountId);
  });
  return others;
}

async function raiseLimits(connection: Connection, target: ImportTarget, { accounts }: Plan): Promise<void> {
  let open = accounts.filter(({ isNew, limit }) => !isNew && limit !== undefined);
  for (let tries = 0; open.length > 0; tries += 1) {
    if (tries === MAX_LIMIT_TRIES)
      throw new PreparationError(
        `account ${open[0]?.accountId ?? ''} was changed by another client ${tries} times between a look at it and the change of its limit`,
      );
    open = await raiseOnce(connection, target, open);
  }
}

/** @returns the accounts that have changed between the look and the change. */
async function raiseOnce(
  connection: Connection,
  target: ImportTarget,
  accounts: readonly AccountPlan[],
): Promise<AccountPlan[]> {
  const commands: { about: AccountPlan; command: ReturnType<typeof setLimitCommand> }[] = [];
  const looks = accounts.map((about) => ({ about, command: readAccountCommand(target, about.accountId) }));
  await ask(connection, 'limits   ', looks, (about, answer) => {
    const state = accountOf(answer);
    const limit = about.limit ?? 0n;
    if ('reason' in state) throw limitError(about, describe(state));
    if (state.overdraftLimit >= limit) return;
    const change = { accountId: about.accountId, overdraftLimit: limit, version: state.version };
    commands.push({ about, command: setLimitCommand(target, change) });
  });
  const changed: AccountPlan[] = [];
  await ask(connection, 'limits   ', commands, (about, answer) => {
    if (answer.case !== 'error') return;
    const error = serverErrorOf(answer.value);
    if (error.reason !== 'VERSION_MISMATCH') throw limitError(about, describe(error));
    changed.push(about);
  });
  return changed;
}

function limitError({ accountId, currency, limit = 0n }: AccountPlan, why: string): PreparationError {
  return new PreparationError(
    `the overdraft limit of account ${accountId} cannot be raised to ${moneyText(limit, currency)}: ${why}`,
  );
}

async function bookOpenings(connection: Connection, target: ImportTarget, { accounts }: Plan): Promise<void> {
  const commands = accounts
    .filter(({ opening }) => opening !== 0n)
    .map((about) => ({
      about,
      command: openingBalanceCommand(target, { ...about, balance: about.opening, day: about.openingDay }),
    }));
  await ask(connection, 'openings ', commands, ({ accountId }, answer) => {
    const outcome = outcomeOf(accountId, answer);
    if (outcome.kind === 'posted') return;
    const why = outcome.kind === 'refused' ? describe(outcome.error) : 'it was declined';
    throw new PreparationError(`the opening balance of account ${accountId} cannot be booked: ${why}`);
  });
}
