/** What a batch of events writes to the reports view in PostgreSQL: a pack, which is one row. */
import { byteaArray, int4Array, int8Array } from '../../../log/postgres-arrays.js';
import type { PoolClient } from '../../../log/postgres-client.js';
import type { RecordedEvent } from '../../../log/recorded-event.js';
import type { TableWrite, WriteStatement } from '../../stores/postgres/table-write.js';
import { type BatchNumbers, known, type Movement, ReportNumbers } from './numbers.js';
import { PackBuilder, segmentOf } from './pack.js';
import { insertTail } from './sql/write.sql.js';

/** A record of a payment takes 49. */
const RECORD_BYTES = 56;

/** A pack of the tail. */
interface TailPack {
  readonly pack: PackBuilder;
  /** The position of its last record. */
  through: bigint;
  /** When that was recorded, UTC microseconds. */
  toTime: bigint;
}

/** Of one generation. */
export class ReportWriter {
  readonly #numbers: ReportNumbers;
  readonly #insertTail: WriteStatement;

  constructor(schema: string) {
    this.#numbers = new ReportNumbers(schema);
    this.#insertTail = insertTail(schema);
  }

  /** Forgets what is in memory: the database may have gone back behind it. */
  reset(): void {
    this.#numbers.reset();
  }

  /**
   * What events, all known to this program, write. Between them others are parked, at the positions `parked`. Ledgers and accounts that are new get
   * their numbers before.
   */
  async writesOf(
    events: readonly RecordedEvent[],
    client: PoolClient,
    partition: number,
    parked: readonly bigint[],
  ): Promise<readonly TableWrite[]> {
    const movements: Movement[] = [];
    for (const { event } of events) {
      const { case: kind, value } = event.payload;
      if (kind === 'transactionPosted') movements.push({ event, posted: value });
      else if (kind === 'transactionDeclined') movements.push({ event, posted: undefined });
    }
    if (movements.length === 0) return [];
    const packs = packsOf(movements, await this.#numbers.of(client, partition, movements), parked);
    return [
      {
        statement: this.#insertTail,
        count: packs.length,
        values: [
          int4Array(packs.map(() => partition)),
          int8Array(packs.map(({ through }) => through)),
          int8Array(packs.map(({ toTime }) => toTime)),
          int4Array(packs.map(({ pack }) => pack.segment.bucket)),
          byteaArray(packs.map(({ pack }) => pack.bytes())),
        ],
      },
    ];
  }
}

/**
 * One pack for each segment, and for each span between parked events: packs of the tail must not overlap, and a
 * parked event becomes a pack of its own when it is applied.
 */
function packsOf(
  movements: readonly Movement[],
  numbers: BatchNumbers,
  parked: readonly bigint[],
): TailPack[] {
  const packs: TailPack[] = [];
  let open: TailPack | undefined;
  let next = 0;
  let passed = 0;
  for (const { event, posted } of movements) {
    const { position, recordedTimeMicros, ledgerId, payload } = event;
    const segment = segmentOf(position, recordedTimeMicros);
    for (let at = parked[passed]; at !== undefined && at < position; at = parked[passed]) {
      open = undefined;
      passed += 1;
    }
    if (segment.bucket !== open?.pack.segment.bucket || segment.run !== open.pack.segment.run) {
      const pack = new PackBuilder(segment, movements.length * RECORD_BYTES);
      open = { pack, through: position, toTime: recordedTimeMicros };
      packs.push(open);
    }
    open.through = position;
    open.toTime = recordedTimeMicros;
    const ledger = known(numbers.ledgers.get(ledgerId));
    if (posted !== undefined) {
      open.pack.addPosting(event, posted, ledger, numbers.accounts, next);
      next += posted.accounts.length;
    } else if (payload.case === 'transactionDeclined') {
      open.pack.addDecline(event, payload.value, ledger);
    }
  }
  return packs;
}
