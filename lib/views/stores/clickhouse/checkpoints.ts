/** The checkpoints of one generation in ClickHouse: a few rows, written together and read together. */
import { Buffer } from 'node:buffer';
import type { ClickHouse } from './client.js';
import { type DeadLetter, letterOfText, letterText } from '../../parked/dead-letter.js';
import { headOf, type Parked, parkedAt, type ParkedHead } from '../../parked/parked.js';
import { readLetters } from '../../parked/read-letters.js';
import { lettersSql, parkedLedgersSql, readCheckpointsSql } from './sql/generations.sql.js';
import { type Checkpoint, type DeadLetters, emptyCheckpoint } from '../../view.js';

/** How far a partition is. */
export interface Standing {
  readonly checkpoint: Checkpoint;
  /** A number that the view moves forward after the checkpoint; -1n at first. */
  readonly sealed: bigint;
}

interface Row {
  readonly partition: number;
  readonly last_offset: string;
  readonly last_point: {
    readonly position: string;
    readonly epoch: number;
    readonly recorded_time: string;
    readonly hash: string;
  };
  readonly last_sealed: string;
  readonly last_parked: number;
}

interface ParkedRow {
  readonly partition: number;
  readonly letters: number;
  readonly first_letter: string;
}

const COLUMNS = ['partition', 'event_offset', 'point', 'sealed', 'parked'] as const;
const LETTER_COLUMNS = ['partition', 'position', 'ledger_id', 'tries', 'removed', 'letter'] as const;

export class ClickHouseCheckpoints {
  readonly #store: ClickHouse;
  readonly #table: string;
  readonly #letters: string;
  #next: Promise<Standings> | undefined;
  #running: Promise<unknown> | undefined;

  constructor(store: ClickHouse, table: string, letters: string) {
    this.#store = store;
    this.#table = table;
    this.#letters = letters;
  }

  /** Where all partitions are, by a read that begins after this call; calls that come meanwhile share it. */
  read(): Promise<Standings> {
    this.#next ??= this.#readNext();
    return this.#next;
  }

  /** Moves partitions forward, all in one insert; what is further already stays. */
  async move(checkpoints: readonly Checkpoint[]): Promise<void> {
    await this.#insert(checkpoints.map((checkpoint) => ({ checkpoint, sealed: -1n })));
  }

  /** Enters that partitions are sealed up to a number. */
  async seal(partitions: readonly number[], sealed: bigint): Promise<void> {
    await this.#insert(partitions.map((partition) => ({ checkpoint: emptyCheckpoint(partition), sealed })));
  }

  /** @see View.deadLetters */
  deadLetters(partition: number): Promise<DeadLetters> {
    return readLetters(
      async () => (await this.read()).of(partition).checkpoint,
      async () => {
        const rows = await this.#store.select<{ text: string }>(lettersSql(this.#letters), { partition });
        return rows.map(({ text }) => letterOfText(text));
      },
    );
  }

  /** Adds letters, or changes those that are there. */
  addLetters(letters: readonly DeadLetter[]): Promise<void> {
    return this.#insertLetters(letters.map((letter) => letterRow(letter, letterText(letter))));
  }

  /** Removes letters for ever. */
  async removeLetters(partition: number, positions: readonly bigint[]): Promise<void> {
    await this.#insertLetters(positions.map((position) => [partition, String(position), '', 0, 1, '']));
  }

  async #insertLetters(rows: readonly (readonly (string | number)[])[]): Promise<void> {
    if (rows.length > 0) await this.#store.insert(this.#letters, [...LETTER_COLUMNS], rows);
  }

  async #readNext(): Promise<Standings> {
    // The one that runs may have begun before this was asked for.
    await this.#running?.catch(() => undefined);
    await new Promise((resolve) => setImmediate(resolve));
    this.#next = undefined;
    const running = this.#readStandings();
    this.#running = running;
    return running;
  }

  /** What is parked is read after the checkpoint, and before the data: what is not parked any more is in the data then. */
  async #readStandings(): Promise<Standings> {
    const rows = await this.#store.selectFew<Row>(readCheckpointsSql(this.#table));
    const parked = rows.some((row) => row.last_parked > 0)
      ? await this.#store.selectFew<ParkedRow>(parkedLedgersSql(this.#letters))
      : [];
    return new Standings(rows, parked);
  }

  async #insert(standings: readonly Standing[]): Promise<void> {
    if (standings.length === 0) return;
    await this.#store.insert(
      this.#table,
      [...COLUMNS],
      standings.map(({ checkpoint, sealed }) => [
        checkpoint.partition,
        String(checkpoint.offset),
        {
          position: String(checkpoint.position),
          epoch: checkpoint.epoch,
          recorded_time: String(checkpoint.recordedTime),
          hash: Buffer.from(checkpoint.hash).toString('hex'),
        },
        String(sealed),
        parkedAt(checkpoint).version,
      ]),
    );
  }
}

/** Where the partitions were at one moment. */
export class Standings {
  readonly #standings: ReadonlyMap<number, Standing>;

  constructor(rows: readonly Row[], parked: readonly ParkedRow[]) {
    this.#standings = new Map(
      rows.map((row) => [
        row.partition,
        standingOf(
          row,
          parked.filter(({ partition }) => partition === row.partition),
        ),
      ]),
    );
  }

  of(partition: number): Standing {
    return this.#standings.get(partition) ?? { checkpoint: emptyCheckpoint(partition), sealed: -1n };
  }
}

function standingOf(row: Row, ledgers: readonly ParkedRow[]): Standing {
  const { partition, last_offset, last_point, last_sealed, last_parked } = row;
  const at = {
    partition,
    offset: BigInt(last_offset),
    epoch: last_point.epoch,
    position: BigInt(last_point.position),
    // Not a Buffer: checkpoints of several stores are compared as plain bytes.
    hash: new Uint8Array(Buffer.from(last_point.hash, 'hex')),
    recordedTime: BigInt(last_point.recorded_time),
  };
  const parked = parkedIn(last_parked, ledgers);
  return { checkpoint: parked === undefined ? at : { ...at, parked }, sealed: BigInt(last_sealed) };
}

function parkedIn(version: number, ledgers: readonly ParkedRow[]): Parked | undefined {
  if (version === 0) return undefined;
  const heads = new Map<string, ParkedHead>();
  let count = 0;
  for (const { letters, first_letter } of ledgers) {
    const first = letterOfText(first_letter);
    heads.set(first.ledgerId, headOf(first));
    count += letters;
  }
  return { version, count, heads };
}

function letterRow({ partition, position, ledgerId, tries }: DeadLetter, text: string): (string | number)[] {
  return [partition, String(position), ledgerId, tries, 0, text];
}
