/**
 * What of a partition is parked: read with every checkpoint, so that a reader knows up to where each ledger is
 * whole. The parked events themselves are dead letters, see dead-letter.ts.
 */
import { Buffer } from 'node:buffer';
import type { LogPoint } from '../../log/recorded-event.js';
import type { Checkpoint } from '../view.js';
import type { DeadLetter } from './dead-letter.js';

/** Where a ledger that has parked events is whole: right before the first of them. */
export interface ParkedHead extends LogPoint {
  /** The ledger itself is parked, with all that happened in it. */
  readonly isWholeLedger: boolean;
}

/** What of a partition is parked. */
export interface Parked {
  /** Grows with each change of what is parked; 0: nothing ever was. */
  readonly version: number;
  /** How many events are parked. */
  readonly count: number;
  /** By ledger; only of ledgers that have parked events. */
  readonly heads: ReadonlyMap<string, ParkedHead>;
}

export const NOTHING_PARKED: Parked = { version: 0, count: 0, heads: new Map() };

/** What is parked in a partition that stands at a checkpoint. */
export function parkedAt({ parked }: Checkpoint): Parked {
  return parked ?? NOTHING_PARKED;
}

/** Up to where every event of a ledger is in the view: the checkpoint, or what is right before a parked event. */
export function wholeUpTo(checkpoint: Checkpoint, ledgerId: string): Checkpoint {
  const head = checkpoint.parked?.heads.get(ledgerId);
  if (head === undefined || head.position >= checkpoint.position) return checkpoint;
  const { epoch, position, hash, recordedTime } = head;
  return { ...checkpoint, epoch, position, hash, recordedTime };
}

/** The same of all ledgers of the partition. */
export function partitionWholeUpTo(checkpoint: Checkpoint): LogPoint {
  let point: LogPoint = checkpoint;
  for (const head of parkedAt(checkpoint).heads.values()) if (head.position < point.position) point = head;
  return point;
}

/** The same of the list of ledgers: only a ledger that is parked itself is missing in it. */
export function ledgersWholeUpTo(checkpoint: Checkpoint): Checkpoint {
  let point: Checkpoint = checkpoint;
  for (const { isWholeLedger, epoch, position, hash, recordedTime } of parkedAt(checkpoint).heads.values()) {
    if (isWholeLedger && position < point.position)
      point = { ...checkpoint, epoch, position, hash, recordedTime };
  }
  return point;
}

/** What is parked where these are the dead letters, in order of position. */
export function parkedOf(version: number, letters: readonly DeadLetter[]): Parked {
  const heads = new Map<string, ParkedHead>();
  for (const letter of letters) if (!heads.has(letter.ledgerId)) heads.set(letter.ledgerId, headOf(letter));
  return { version, count: letters.length, heads };
}

/**
 * Right before a parked event. The event before it may be of any ledger and is not read: recorded times grow
 * with every event, so all that was recorded by a microsecond before this one is before it.
 */
export function headOf(letter: DeadLetter): ParkedHead {
  return {
    epoch: letter.epoch,
    position: letter.position - 1n,
    hash: letter.previousHash,
    recordedTime: letter.recordedTime - 1n,
    isWholeLedger: letter.changes.includes(WHOLE_LEDGER),
  };
}

/** In place of the keys of a letter: all that is or will be in its ledger. */
export const WHOLE_LEDGER = 'ledger';

type StoredHead = readonly [
  ledgerId: string,
  epoch: number,
  position: string,
  hash: string,
  recordedTime: string,
  isWholeLedger: boolean,
];
type StoredParked = readonly [version: number, count: number, heads: readonly StoredHead[]];

/** As stores hold it; nothing is the empty text. The same is always the same text. */
export function parkedText({ version, count, heads }: Parked): string {
  if (version === 0) return '';
  const stored: StoredParked = [
    version,
    count,
    [...heads].map(([ledgerId, { epoch, position, hash, recordedTime, isWholeLedger }]) => [
      ledgerId,
      epoch,
      String(position),
      Buffer.from(hash).toString('hex'),
      String(recordedTime),
      isWholeLedger,
    ]),
  ];
  return JSON.stringify(stored);
}

/** Undefined of the empty text. @throws SyntaxError of a text that parkedText did not make. */
export function parkedOfText(text: string): Parked | undefined {
  if (text === '') return undefined;
  // Our own writer made it.
  const [version, count, heads] = JSON.parse(text) as StoredParked;
  return {
    version,
    count,
    heads: new Map(
      heads.map(([ledgerId, epoch, position, hash, recordedTime, isWholeLedger]) => [
        ledgerId,
        {
          epoch,
          position: BigInt(position),
          // Not a Buffer: checkpoints of several stores are compared as plain bytes.
          hash: new Uint8Array(Buffer.from(hash, 'hex')),
          recordedTime: BigInt(recordedTime),
          isWholeLedger,
        },
      ]),
    ),
  };
}
