/** Events that are not in a view: one that its store refused, and those that have to wait behind it. */
import { Buffer } from 'node:buffer';
import { accountsChangedBy } from '../../log/account-of.js';
import type { RecordedEvent } from '../../log/recorded-event.js';
import { streamIdOf } from '../../log/stream-id.js';
import { accountsNamedBy, transactionOf } from '../../log/transaction-of.js';
import { WHOLE_LEDGER } from './parked.js';

/** An event that was parked. Its bytes are in the log. */
export interface DeadLetter {
  readonly partition: number;
  readonly position: bigint;
  readonly ledgerId: string;
  readonly streamId: string;
  /** Such as `transactionPosted`. */
  readonly eventType: string;
  readonly epoch: number;
  /** UTC microseconds. */
  readonly recordedTime: bigint;
  /** Of the event before it in the log. */
  readonly previousHash: Uint8Array;
  /** The keys of what it changes. A later event that touches one of them waits behind it. */
  readonly changes: readonly string[];
  /** The keys of all that it touches. */
  readonly touches: readonly string[];
  /** The position of the parked event that it waits behind; undefined: the store refused this one. */
  readonly behind: bigint | undefined;
  /** How often it was tried; 0 of an event that only waits. */
  readonly tries: number;
  /** Why it was parked, in words for operators. */
  readonly failure: string;
  /** UTC microseconds. */
  readonly parkedTime: bigint;
}

/** What an event touches of its ledger, as keys. */
export interface Touched {
  readonly changes: readonly string[];
  readonly touches: readonly string[];
}

const streamKey = (id: string): string => `stream ${id}`;
const accountKey = (id: string): string => `account ${id}`;

/**
 * Its stream, and every account that it changes or names: a transaction between accounts is of the stream of
 * each of them. An event that cannot be understood so far touches its whole ledger.
 */
export function touchedBy({ event }: RecordedEvent): Touched {
  if (event.payload.case === 'ledgerCreatedV2') return { changes: [WHOLE_LEDGER], touches: [WHOLE_LEDGER] };
  try {
    const changes = [streamIdOf(event)].map(streamKey);
    for (const { accountId } of accountsChangedBy(event)) changes.push(accountKey(accountId));
    const transaction = transactionOf(event);
    const named = transaction === undefined ? [] : accountsNamedBy(transaction).map(accountKey);
    return { changes, touches: [...new Set([...changes, ...named])] };
  } catch {
    return { changes: [WHOLE_LEDGER], touches: [WHOLE_LEDGER] };
  }
}

/** A letter as JSON has it: bigints and bytes as texts. */
type StoredLetter = Omit<
  DeadLetter,
  'position' | 'recordedTime' | 'previousHash' | 'behind' | 'parkedTime'
> & {
  readonly position: string;
  readonly recordedTime: string;
  readonly previousHash: string;
  readonly behind: string | null;
  readonly parkedTime: string;
};

/** As stores hold it. */
export function letterText(letter: DeadLetter): string {
  const { position, recordedTime, previousHash, behind, parkedTime } = letter;
  const stored: StoredLetter = {
    ...letter,
    position: String(position),
    recordedTime: String(recordedTime),
    previousHash: Buffer.from(previousHash).toString('hex'),
    behind: behind === undefined ? null : String(behind),
    parkedTime: String(parkedTime),
  };
  return JSON.stringify(stored);
}

/** @throws SyntaxError of a text that letterText did not make. */
export function letterOfText(text: string): DeadLetter {
  // Our own writer made it.
  const stored = JSON.parse(text) as StoredLetter;
  const { position, recordedTime, previousHash, behind, parkedTime } = stored;
  return {
    ...stored,
    position: BigInt(position),
    recordedTime: BigInt(recordedTime),
    previousHash: new Uint8Array(Buffer.from(previousHash, 'hex')),
    behind: behind === null ? undefined : BigInt(behind),
    parkedTime: BigInt(parkedTime),
  };
}
