/**
 * What all views share: the checkpoint that moves with the data, and the generations of blue/green rebuilds.
 */
import { ViewAbsent } from '../base/view-absent.js';
import type { BusBatch } from '../log/bus.js';
import type { LogPoint, RecordedEvent } from '../log/recorded-event.js';
import type { DeadLetter } from './parked/dead-letter.js';
import type { Parked } from './parked/parked.js';

/** How far a view is in one partition, kept in the view's own store. */
export interface Checkpoint extends LogPoint {
  readonly partition: number;
  /** Of the last message applied; -1n for none. */
  readonly offset: bigint;
  /** What before it is not applied but parked; absent: nothing ever was. */
  readonly parked?: Parked;
}

/** A batch, and what of it the view parks in place of applying it. */
export interface ViewBatch extends BusBatch {
  /** Absent: the caller knows that nothing ever was parked in the partition. */
  readonly parking?: Parking;
}

/** A change of what is parked in a partition. */
export interface Parking {
  /** What is parked now, as the caller knows it. */
  readonly from: Parked;
  /** What is parked then; `from` itself if nothing changes. */
  readonly to: Parked;
  /** The events that are parked, which are not among the batch's. */
  readonly letters: readonly DeadLetter[];
}

/** Parked events that are applied, and are not parked any more. */
export interface Unparking {
  readonly partition: number;
  readonly from: Parked;
  readonly to: Parked;
  /** The events, in order of position. */
  readonly events: readonly RecordedEvent[];
  /** Letters that stay, changed: what was tried again in vain. */
  readonly letters: readonly DeadLetter[];
}

/** The checkpoint of a view that has seen nothing. */
export function emptyCheckpoint(partition: number): Checkpoint {
  return {
    partition,
    offset: -1n,
    epoch: 0,
    position: -1n,
    hash: new Uint8Array(0),
    recordedTime: 0n,
  };
}

/** Data read together with the position it is as of. */
export interface Read<T> {
  readonly value: T;
  readonly asOf: Checkpoint;
}

export type ViewId = 'balances' | 'history' | 'reports';

/** One generation of a view: its writer and its reader. */
export interface View {
  readonly id: ViewId;
  /** The kind of store, such as `postgres`. */
  readonly store: string;
  readonly generation: number;
  /**
   * Applies a batch: data first, then the checkpoint, or both at once. Idempotent: events at or before the
   * checkpoint change nothing, also when another process applies the same ones at the same time.
   * @throws UnknownEventError on an event that it does not understand and that is not ignorable;
   * MissedEventsError if the batch goes on from an event that the view has not seen; LostEventsError if the
   * view holds events of a lost history; ParkedChangedError if other events are parked than the batch says.
   */
  apply(batch: ViewBatch): Promise<void>;
  /** The parked events of a partition in order of position, and what its checkpoint says of them. */
  deadLetters(partition: number): Promise<DeadLetters>;
  /**
   * Applies parked events and takes them from the dead letters: in one step, or the data first. Idempotent.
   * @throws ParkedChangedError if other events are parked than `from` says; nothing is changed then
   */
  unpark(unparking: Unparking): Promise<void>;
  /**
   * The checkpoint of a partition, `emptyCheckpoint` if there is none. One cheap read: waiting readers poll
   * it.
   */
  checkpoint(partition: number): Promise<Checkpoint>;
  /**
   * Rows of the view in a canonical, store-independent form and order, as of the checkpoint, in keyset pages
   * that hold no snapshot: what rebuilds compare and VerifyLedger reads. Keys sort ascending by code units.
   */
  rows(page: RowPage): Promise<readonly ViewRow[]>;
  /**
   * Gives all rows of a ledger to `take`, each once, in any order and in pieces, where the store can read them so for less
   * than `rows` costs. Each piece is of its own moment: a row that is made meanwhile may be left out. Ends early with what `take`
   * throws.
   */
  scan?(ledgerId: string, take: TakeRows): Promise<void>;
  /**
   * Compares this generation with another of the same store by what is stored, where the store can do it for
   * less than rows cost. Both hold all events up to `through`; what later events made or changed is not called
   * equal, but may be left out.
   */
  compareStored?(generation: number, through: bigint, signal: AbortSignal): Promise<StoredComparison>;
}

/** What a store can say of two generations without rows. */
export interface StoredComparison {
  /** How many stored rows are equal. */
  readonly equalRows: number;
  /** All rows that may differ are within these ranges, which come in the order of their keys. */
  readonly different: readonly KeyRange[];
}

/** Rows by their keys. */
export interface KeyRange {
  /** Only rows after this key; null: from the first. */
  readonly afterKey: string | null;
  /** And up to this one, included; null: to the last. */
  readonly throughKey: string | null;
}

/** Of one moment. */
export interface DeadLetters {
  readonly parked: Parked;
  readonly letters: readonly DeadLetter[];
}

export interface RowPage {
  /** Null: the rows of all ledgers. */
  readonly ledgerId: string | null;
  /** Only rows after this key; null: from the first. */
  readonly afterKey: string | null;
  readonly limit: number;
}

/** Takes some rows; the next ones come when it has resolved. */
export type TakeRows = (rows: readonly ViewRow[]) => Promise<void>;

/** A row of a view, for comparison. Equal views have equal keys and contents. */
export interface ViewRow {
  readonly key: string;
  /** The position of the last event that shaped the row. */
  readonly position: bigint;
  /** A canonical text of all that the row says. */
  readonly content: string;
}

/** The generations of a view in its store: `history_1`, `history_2`, …, one of which serves. */
export interface ViewGenerations<V extends View> {
  /** Creates the first generation, which serves at once, if there is none. Writers only. */
  migrate(): Promise<void>;
  /** The generation that serves; reads the pointer afresh. @throws ViewMissingError before migrate. */
  current(): Promise<V>;
  /**
   * Makes an empty generation beside the others, even in a store that holds nothing. No number is given
   * twice.
   */
  create(): Promise<V>;
  /** Points readers to a generation: one atomic change. */
  switchTo(generation: number): Promise<void>;
  /** Removes a generation that does not serve. */
  drop(generation: number): Promise<void>;
  /** All that exist, the serving one included. */
  list(): Promise<readonly number[]>;
}

/** An event of a kind, or with an enum value, that this program does not know: it must be upgraded first. */
export class UnknownEventError extends Error {
  override readonly name = 'UnknownEventError';
  constructor(readonly position: bigint) {
    super(`event at position ${position} is of a kind that this version does not know`);
  }
}

/** The view's store has no schema yet: the projector has not run. */
export class ViewMissingError extends ViewAbsent {
  override readonly name = 'ViewMissingError';
  constructor(readonly view: ViewId) {
    super(`the ${view} view does not exist yet; start the projector`);
  }
}
