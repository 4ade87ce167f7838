/**
 * Kinds of transactions as the column `kind` has them: below zero if declined. All other statuses belong to
 * authorizations alone, and stand with their last change.
 */
import {
  TransactionKind,
  TransactionKindSchema,
  TransactionStatus,
} from '../../../../../gen/quittance/common/v1/transaction_pb.js';
import type { TransactionListing } from '../../view.js';

const KINDS: readonly number[] = TransactionKindSchema.values
  .map(({ number }) => number)
  .filter((number) => number > 0);

const AUTHORIZATION: number = TransactionKind.AUTHORIZATION;

/** Kinds that are never posted: an authorization has no entries; the others are transactions only where they were declined. */
const UNPOSTED: readonly number[] = [AUTHORIZATION, TransactionKind.ADJUSTMENT, TransactionKind.VOID];

/** What is in the books. */
const POSTED: readonly number[] = KINDS.filter((kind) => !UNPOSTED.includes(kind));

/** What a kind and a status ask for. */
export interface KindFilter {
  /** Values of the column; null: any. */
  readonly kinds: readonly number[] | null;
  /** Of an authorization; undefined: any. */
  readonly status: number | undefined;
}

/** What of the column a caller's filters ask for. */
export function kindFilter({ kinds, status }: Pick<TransactionListing, 'kinds' | 'status'>): KindFilter {
  const wanted: ReadonlySet<number> = new Set(kinds);
  const ofKind = (from: readonly number[]) =>
    wanted.size === 0 ? from : from.filter((one) => wanted.has(Math.abs(one)));
  switch (status) {
    case TransactionStatus.UNSPECIFIED:
      return {
        kinds: wanted.size === 0 ? null : [...wanted].flatMap((kind) => [kind, -kind]),
        status: undefined,
      };
    case TransactionStatus.POSTED:
      return { kinds: ofKind(POSTED), status: undefined };
    case TransactionStatus.DECLINED:
      return { kinds: ofKind(KINDS.map((one) => -one)), status: undefined };
    default:
      return { kinds: ofKind([AUTHORIZATION]), status };
  }
}

/** The kinds of transactions with entries, of those that a listing asks for; of none: all of them. */
export function postedKinds(kinds: readonly TransactionKind[]): readonly number[] {
  return kindFilter({ kinds, status: TransactionStatus.POSTED }).kinds ?? POSTED;
}

/** A condition on the column, as the statement names it; of numbers that enums have, not of a caller's text. */
export function ofOneKind(column: string, kinds: readonly number[]): string {
  if (kinds.length === 0) return 'false';
  return kinds.length === 1 ? `${column} = ${String(kinds[0])}` : `${column} in (${kinds.join(', ')})`;
}
