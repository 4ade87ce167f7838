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
export function kindFilter({ kind, status }: Pick<TransactionListing, 'kind' | 'status'>): KindFilter {
  const wanted: number = kind;
  const ofKind = (from: readonly number[]) =>
    kind === TransactionKind.UNSPECIFIED ? from : from.filter((one) => Math.abs(one) === wanted);
  switch (status) {
    case TransactionStatus.UNSPECIFIED:
      return { kinds: kind === TransactionKind.UNSPECIFIED ? null : [kind, -kind], status: undefined };
    case TransactionStatus.POSTED:
      return { kinds: ofKind(POSTED), status: undefined };
    case TransactionStatus.DECLINED:
      return { kinds: ofKind(KINDS.map((one) => -one)), status: undefined };
    default:
      return { kinds: ofKind([AUTHORIZATION]), status };
  }
}

/** The kinds of transactions with entries; UNSPECIFIED: all of them. */
export function postedKinds(kind: TransactionKind): readonly number[] {
  return kindFilter({ kind, status: TransactionStatus.POSTED }).kinds ?? POSTED;
}
