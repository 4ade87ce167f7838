/** What the readers of all formats make of a file. */

/** One movement of one account. */
export interface Movement {
  /** The line that it ends on (CSV) or begins on (CAMT.053, MT940), from 1. */
  readonly line: number;
  /** Unique in the ledger for ever: the request id follows from it. Empty where it is still to be derived. */
  readonly movementId: string;
  /** What the id is derived from, besides account, currency, day and amount; unused where the file has ids. */
  readonly identity: readonly string[];
  /** The number by which people find it; becomes the transaction's reference. Empty: the movement id. */
  readonly reference: string;
  readonly accountId: string;
  readonly currency: string;
  /** UTC microseconds of the booking day at 00:00. */
  readonly bookedOn: bigint;
  readonly kind: string;
  readonly purpose: string;
  /** Minor units; above zero into the account. */
  readonly amount: bigint;
  /** The balance printed right before it, in minor units; undefined where none is printed. */
  readonly balanceBefore: bigint | undefined;
  /** The balance printed right after it, in minor units; undefined where none is printed. */
  readonly balanceAfter: bigint | undefined;
  /** Empty where unknown. */
  readonly counterparty: string;
  /** Empty where unknown. */
  readonly description: string;
}

/** A balance that a statement prints before its first or after its last movement. */
export interface StatementBalance {
  readonly line: number;
  readonly accountId: string;
  readonly currency: string;
  /** Minor units. */
  readonly balance: bigint;
  /** UTC microseconds of its day at 00:00. */
  readonly day: bigint;
  /** Names the statement within its account; the same twice in a file is a mistake. */
  readonly statement: string;
}

/** A step through a file. */
export type FileRecord =
  | { readonly kind: 'movement'; readonly movement: Movement }
  | { readonly kind: 'opening'; readonly opening: StatementBalance }
  | { readonly kind: 'closing'; readonly closing: StatementBalance }
  /** Something that could not be read, and is among the problems: what comes next need not follow from what was before. */
  | { readonly kind: 'gap' };

/**
 * The movements alone, those of a statement with its balances: its first movement carries the opening one as
 * `balanceBefore`, its last one the closing one as `balanceAfter`.
 */
export async function* movementsOf(records: AsyncIterable<FileRecord>): AsyncGenerator<Movement> {
  let last: Movement | undefined;
  let opening: StatementBalance | undefined;
  for await (const record of records) {
    if (record.kind === 'closing') {
      const { accountId, balance } = record.closing;
      if (last?.accountId === accountId) yield { ...last, balanceAfter: balance };
      last = undefined;
      continue;
    }
    if (last !== undefined) yield last;
    last = undefined;
    if (record.kind === 'opening') opening = record.opening;
    if (record.kind !== 'movement') continue;
    const { movement } = record;
    const isFirst = opening?.accountId === movement.accountId;
    last = isFirst ? { ...movement, balanceBefore: opening?.balance } : movement;
    opening = undefined;
  }
  if (last !== undefined) yield last;
}
