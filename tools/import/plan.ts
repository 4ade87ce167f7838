/** What an import does before its movements: accounts to open, limits to raise, opening balances to book. */
import { codeOf } from '../../lib/base/currency.js';
import { moneyText, MAX_AMOUNT } from './fields.js';
import type { LedgerAccount } from './answers.js';
import type { Inspected, Inspection, Progress } from './inspect.js';
import { Problems } from './problems.js';
import type { Survey, SurveyedAccount } from './survey.js';

/** What is done for one account. */
export interface AccountPlan {
  readonly accountId: string;
  readonly currency: string;
  readonly isNew: boolean;
  /** The overdraft limit that the file needs, in minor units; undefined: the account's own is enough. */
  readonly limit: bigint | undefined;
  /** The account's limit so far. */
  readonly limitBefore: bigint;
  /** A balance to book before the first movement; 0 for none. */
  readonly opening: bigint;
  readonly openingDay: bigint;
  /** How far the ledger has its movements, before the import. */
  readonly progress: Progress;
  /** What the account can pay once its limit is as planned, in minor units; undefined: without limit. */
  readonly available: bigint | undefined;
  /** Whether the ledger may decline movements of it, whatever it can pay. */
  readonly isBlocked: boolean;
}

/** What is done for all of them. */
export interface Plan {
  readonly ledgerExists: boolean;
  readonly accounts: readonly AccountPlan[];
  /** Worth telling, and no reason to stop. */
  readonly notes: readonly string[];
}

/**
 * Judges the file by the ledger. @param bookOpening whether the balance that a file begins with may be booked where the
 * account is new to the ledger. @throws BadFileError if they do not fit; nothing has been booked then.
 */
export function planImport(survey: Survey, inspection: Inspection, bookOpening: boolean): Plan {
  const problems = new Problems();
  const notes = [...survey.notes];
  const accounts = [...survey.accounts.values()].map((account) => {
    const inspected: Inspected = inspection.accounts.get(account.accountId) ?? { kind: 'new' };
    const judged = { account, bookOpening, problems, notes };
    switch (inspected.kind) {
      case 'new':
        return planForNew(judged);
      case 'closed':
        return planForClosed(judged, inspected.progress);
      case 'existing':
        return planForExisting(judged, inspected.account, inspected.progress);
    }
  });
  problems.throwIfAny();
  return { ledgerExists: inspection.ledgerExists, accounts, notes };
}

interface Judged {
  readonly account: SurveyedAccount;
  readonly bookOpening: boolean;
  readonly problems: Problems;
  readonly notes: string[];
}

const NOTHING_BOOKED = { booked: 0, wasDeclined: false };

function planForNew({ account, bookOpening, problems }: Judged): AccountPlan {
  const { accountId, currency, firstDay, line, lowestSum, startBalance = 0n } = account;
  if (startBalance !== 0n && !bookOpening)
    problems.add(
      line,
      `account ${accountId} begins at ${moneyText(startBalance, currency)} in the file, and is new to the ledger; ` +
        'import what came before first, or book that balance by --book-opening, or compare nothing by --no-balances',
    );
  const limit = limitFor(account, startBalance + lowestSum, problems);
  return {
    accountId,
    currency,
    isNew: true,
    limit,
    limitBefore: 0n,
    opening: startBalance,
    openingDay: firstDay,
    progress: { ...NOTHING_BOOKED, lowestSum },
    available: startBalance + limit,
    isBlocked: false,
  };
}

function planForClosed({ account, notes }: Judged, progress: Progress): AccountPlan {
  const { accountId, currency, firstDay } = account;
  notes.push(`account ${accountId} is closed; what of it is not booked yet will be declined`);
  return {
    accountId,
    currency,
    isNew: false,
    limit: undefined,
    limitBefore: 0n,
    opening: 0n,
    openingDay: firstDay,
    progress,
    available: 0n,
    isBlocked: true,
  };
}

function planForExisting(judged: Judged, state: LedgerAccount, progress: Progress): AccountPlan {
  const { account, problems, notes } = judged;
  const { accountId, currency, firstDay, line, movements } = account;
  const { posted, held, hasFloor, overdraftLimit, obstacle } = state;
  if (state.currency !== codeOf(currency))
    problems.add(
      line,
      `account ${accountId} is in ${codeOf(currency)} in the file, and in ${state.currency} in the ledger`,
    );
  // Where all is booked, whatever an operator has changed since then is left alone.
  const isLeft = progress.booked < movements;
  if (isLeft && obstacle !== '')
    notes.push(`account ${accountId}: ${obstacle}; what of it is not booked yet may be declined`);
  const isUnbegun = isLeft && progress.booked === 0 && !progress.wasDeclined;
  const opening = isUnbegun ? openingFor(judged, state) : 0n;
  const needed = isLeft ? limitFor(account, posted + opening + progress.lowestSum - held, problems) : 0n;
  const limit = hasFloor && needed > overdraftLimit ? needed : undefined;
  return {
    accountId,
    currency,
    isNew: false,
    limit,
    limitBefore: overdraftLimit,
    opening,
    openingDay: firstDay,
    progress,
    available: hasFloor ? posted + opening - held + (limit ?? overdraftLimit) : undefined,
    isBlocked: obstacle !== '',
  };
}

/** What has to be booked so that the account is where the file begins; a problem where that may not be. */
function openingFor(
  { account, bookOpening, problems }: Judged,
  { posted, isUntouched }: LedgerAccount,
): bigint {
  const { accountId, currency, line, startBalance } = account;
  if (startBalance === undefined || startBalance === posted) return 0n;
  if (isUntouched && bookOpening) return startBalance;
  problems.add(
    line,
    `account ${accountId} begins at ${moneyText(startBalance, currency)} in the file, and is at ` +
      `${moneyText(posted, currency)} in the ledger; import what is missing between them first` +
      `${isUntouched ? ', or book that balance by --book-opening' : ''}, or compare nothing by --no-balances`,
  );
  return 0n;
}

/** The limit with which `available` can go as low as `lowest`. */
function limitFor({ accountId, line }: SurveyedAccount, lowest: bigint, problems: Problems): bigint {
  const limit = lowest < 0n ? -lowest : 0n;
  if (limit > MAX_AMOUNT)
    problems.add(line, `account ${accountId} goes further below zero than an overdraft limit can`);
  return limit;
}
