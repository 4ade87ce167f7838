/**
 * Writes batches to ClickHouse, which wants few and large inserts: the batches of all partitions that wait go together, first
 * their facts, then their checkpoints, each by one insert that the server has acknowledged. A crash between the two leaves
 * facts beyond the checkpoint, which readers do not count and which come again under the same keys.
 */
import type { BusBatch, RecordedEvent } from '../../platform/bus.js';
import { insert } from '../clickhouse-client.js';
import { movedCheckpoint, unseenEvents } from '../unseen-events.js';
import type { Checkpoint } from '../view.js';
import { FACT } from './clickhouse-report-schema.js';
import type { ReadPlace } from './clickhouse-report-queries.js';
import { reportFacts } from './fold.js';

/** Inserts do not follow each other closer than this, unless there is much to insert. */
const PAUSE_ms = 30;
/** Where there is nothing but watermarks to insert. */
const IDLE_PAUSE_ms = 100;
const MUCH_FACTS = 1_000;
const STEP_ms = 5;
/** What is remembered of a checkpoint is read again after so long: the store may have been replaced by an older copy. */
const REMEMBERED_ms = 1_000;

const FACT_COLUMNS = [
  ...(['partition', 'ledger_id', 'fact', 'position', 'entry', 'account_id', 'type'] as const),
  ...(['currency', 'kind', 'amount', 'effective_time', 'recorded_time'] as const),
] as const;
const CHECKPOINT_COLUMNS = [
  ...(['partition', 'epoch', 'position', 'offset', 'hash', 'recorded_time', 'rank'] as const),
] as const;

interface Waiting {
  readonly facts: readonly object[];
  readonly to: Checkpoint;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/** Writes to one generation. */
export class ReportWriter {
  readonly #place: ReadPlace;
  readonly #known = new Map<number, { readonly checkpoint: Checkpoint; readonly at_ms: number }>();
  #waiting: Waiting[] = [];
  #flushing: Promise<void> | undefined;
  #flushedAt_ms = -Infinity;

  constructor(place: ReadPlace) {
    this.#place = place;
  }

  /** Resolves with where the partition stands then. @throws as View.apply says */
  async apply(batch: BusBatch): Promise<Checkpoint> {
    const before = await this.#checkpoint(batch.partition);
    const events = await this.#judge(batch, before);
    const to = movedCheckpoint(before, batch);
    const facts = factRows(batch.partition, events);
    if (facts.length === 0 && to.position === before.position && to.offset === before.offset) return to;
    await new Promise<void>((resolve, reject) => {
      this.#waiting.push({ facts, to, resolve, reject });
      this.#flushing ??= this.#flush();
    });
    return to;
  }

  async #checkpoint(partition: number): Promise<Checkpoint> {
    const known = this.#known.get(partition);
    if (known !== undefined && performance.now() - known.at_ms < REMEMBERED_ms) return known.checkpoint;
    return this.#read(partition);
  }

  async #read(partition: number): Promise<Checkpoint> {
    const { checkpoint } = await this.#place.checkpoints.standing(partition);
    this.#known.set(partition, { checkpoint, at_ms: performance.now() });
    return checkpoint;
  }

  /** Nothing is refused by what is only remembered: another process may have gone on. */
  async #judge(batch: BusBatch, before: Checkpoint): Promise<readonly RecordedEvent[]> {
    try {
      return unseenEvents(batch, before);
    } catch {
      return unseenEvents(batch, await this.#read(batch.partition));
    }
  }

  async #flush(): Promise<void> {
    while (this.#waiting.length > 0) {
      await this.#untilDue();
      const taken = this.#waiting;
      this.#waiting = [];
      this.#flushedAt_ms = performance.now();
      await this.#write(taken);
    }
    this.#flushing = undefined;
  }

  /** Facts that come while watermarks wait are not held up by them. */
  async #untilDue(): Promise<void> {
    for (;;) {
      const facts = this.#waiting.reduce((sum, each) => sum + each.facts.length, 0);
      const pause_ms = facts >= MUCH_FACTS ? 0 : facts > 0 ? PAUSE_ms : IDLE_PAUSE_ms;
      const left_ms = this.#flushedAt_ms + pause_ms - performance.now();
      // Also without a pause: batches of other partitions that came in the same turn go along.
      await new Promise((resolve) => setTimeout(resolve, Math.max(0, Math.min(left_ms, STEP_ms))));
      if (left_ms <= STEP_ms) return;
    }
  }

  async #write(taken: readonly Waiting[]): Promise<void> {
    const { client, prefix } = this.#place;
    try {
      const facts = taken.flatMap((each) => each.facts);
      if (facts.length > 0) await insert(client, `${prefix}_facts`, FACT_COLUMNS, facts);
      await insert(
        client,
        `${prefix}_checkpoints`,
        CHECKPOINT_COLUMNS,
        taken.map(({ to }) => checkpointRow(to)),
      );
    } catch (error) {
      for (const { to, reject } of taken) {
        this.#known.delete(to.partition);
        reject(error);
      }
      return;
    }
    const at_ms = performance.now();
    for (const { to, resolve } of taken) {
      const known = this.#known.get(to.partition);
      // When it was read stays: that it is ours does not say that the store still has what it had.
      this.#known.set(to.partition, { checkpoint: to, at_ms: known?.at_ms ?? at_ms });
      resolve();
    }
  }
}

function factRows(partition: number, events: readonly RecordedEvent[]): object[] {
  const { postings, declines } = reportFacts(events);
  const rows: object[] = [];
  for (const { position, ledgerId, kind, effectiveTime, recordedTime, entries, volumes } of postings) {
    const common = {
      ...{ partition, ledger_id: ledgerId, position: String(position), kind },
      ...{ effective_time: String(effectiveTime), recorded_time: String(recordedTime) },
    };
    entries.forEach(({ accountId, type, currency, amount }, entry) => {
      rows.push({
        ...common,
        ...{ fact: FACT.entry, entry, account_id: accountId, type, currency, amount: String(amount) },
      });
    });
    volumes.forEach(({ currency, principal }, entry) => {
      rows.push({
        ...common,
        ...{ fact: FACT.volume, entry, account_id: '', type: 0, currency, amount: String(principal) },
      });
    });
  }
  for (const { position, ledgerId, reason, recordedTime, currency, principal } of declines) {
    rows.push({
      ...{ partition, ledger_id: ledgerId, fact: FACT.decline, position: String(position), entry: 0 },
      ...{ account_id: '', type: 0, currency, kind: reason, amount: String(principal) },
      ...{ effective_time: String(recordedTime), recorded_time: String(recordedTime) },
    });
  }
  return rows;
}

/** Of two versions the one that is further counts, whoever inserted it last. */
function checkpointRow({ partition, epoch, position, offset, hash, recordedTime }: Checkpoint): object {
  const rank = (BigInt(epoch) << 128n) + ((position + 1n) << 64n) + (offset + 1n);
  return {
    ...{ partition, epoch, position: String(position), offset: String(offset) },
    ...{ hash: Buffer.from(hash).toString('hex'), recorded_time: String(recordedTime), rank: String(rank) },
  };
}
