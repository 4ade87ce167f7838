/** The names that the contract gives, in words of a list. */
import {
  AccountStatus,
  AccountType,
  FreezeScope,
  LimitKind,
  LimitPeriod,
} from '../../../../gen/quittance/common/v1/account_pb.js';
import {
  DeclineReason,
  TransactionKind,
  TransactionStatus,
} from '../../../../gen/quittance/common/v1/transaction_pb.js';

type Enum = Readonly<Record<string, string | number>>;

/** `INSUFFICIENT_FUNDS` is `insufficient funds`; the unspecified one is empty. */
export function wordOf(names: Enum, value: number): string {
  if (value === 0) return '';
  const name = names[value];
  return typeof name === 'string' ? name.toLowerCase().replaceAll('_', ' ') : String(value);
}

/** The names without the unspecified one, in the order of the contract. */
export function wordsOf(names: Enum): readonly string[] {
  return Object.values(names).flatMap((value) =>
    typeof value === 'number' && value !== 0 ? [wordOf(names, value)] : [],
  );
}

/** The value of a word; undefined if it is none. */
export function valueOfWord<E extends number>(
  names: Readonly<Record<string, string | E>>,
  word: string,
): E | undefined {
  const found = names[word.trim().toUpperCase().replaceAll(/[ -]/g, '_')];
  return typeof found === 'number' && found > 0 ? found : undefined;
}

export const kindWord = (value: TransactionKind): string => wordOf(TransactionKind, value);
export const statusWord = (value: TransactionStatus): string => wordOf(TransactionStatus, value);
export const declineWord = (value: DeclineReason): string => wordOf(DeclineReason, value);
export const limitWord = (value: LimitKind): string => wordOf(LimitKind, value);
export const periodWord = (value: LimitPeriod): string => wordOf(LimitPeriod, value);
export const accountTypeWord = (value: AccountType): string => wordOf(AccountType, value);
export const accountStatusWord = (value: AccountStatus): string => wordOf(AccountStatus, value);
export const freezeWord = (value: FreezeScope): string => wordOf(FreezeScope, value);
