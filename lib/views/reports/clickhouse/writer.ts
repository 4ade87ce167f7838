/** Writes batches to one generation in ClickHouse: data first, acknowledged, then the checkpoint. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { RecordedEvent } from '../../../log/recorded-event.js';
import type { ClickHouseCheckpoints } from '../../stores/clickhouse/checkpoints.js';
import type { ClickHouse } from '../../stores/clickhouse/client.js';
import { isRefusal } from '../../stores/clickhouse/errors.js';
import { movedCheckpoint, unseenEvents } from '../../unseen-events.js';
import { parkedAt } from '../../parked/parked.js';
import type { Checkpoint, Unparking, ViewBatch } from '../../view.js';
import { LostEventsError, ParkedChangedError } from '../../view-errors.js';
import { ENTRY_COLUMNS, entryRowsOf, type InsertedEntry } from './entry-rows.js';
import { lostSql } from './sql/schema.sql.js';

/**
 * How far apart rounds begin at least, in milliseconds. An insert costs the server some 9 ms of a core,
 * merging included, whether it brings one row or dozens (measured): so what all partitions bring meanwhile
 * goes in one. Where no events came, only checkpoints wait, and can. One round at a time.
 *
 * The pause comes after the writing and before the callers of apply get their answer: they fetch no more
 * until then, so that events wait on the bus and are written as soon as they are fetched. (They waited here
 * once, and in the bus too.)
 */
const ROUND_MS = 30;
const IDLE_ROUND_MS = 60;
/** A server that takes long gets rounds that leave two thirds of its time to readers, up to this. */
const LONGEST_ROUND_MS = 100;
/** Batches of one fetch come one after the other. */
const GATHER_MS = 1;
/** Beyond these, batches wait for the next round. */
const ROUND_EVENTS = 10_000;
/**
 * What memory says of a partition is believed for so long: no ClickHouse can lose rows and be back meanwhile.
 */
const BELIEVED_MS = 250;

export interface WriterTables {
  readonly store: ClickHouse;
  readonly checkpoints: ClickHouseCheckpoints;
  readonly entries: string;
}

interface Pending {
  readonly batch: ViewBatch;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/** What a batch changes. */
interface Step extends Pending {
  readonly from: Checkpoint;
  readonly to: Checkpoint;
  readonly events: readonly RecordedEvent[];
  readonly rows: readonly InsertedEntry[];
}

/**
 * Gathers the batches of all partitions into rounds of at most two inserts. Nothing is refused, and nothing
 * counts as seen for long, on the word of memory alone. What another process writes at the same time, or has
 * written, does no harm: of each event all write the same rows, and checkpoints merge.
 */
export class ClickHouseReportWriter {
  readonly #tables: WriterTables;
  readonly #onMoved: (checkpoints: readonly Checkpoint[]) => void;
  readonly #waiting: Pending[] = [];
  readonly #known = new Map<number, { readonly checkpoint: Checkpoint; readonly since_ms: number }>();
  #isWriting = false;
  /** When the round after this one may begin, if it is not the first for a while. */
  #due_ms = -Infinity;

  /** `onMoved` is called with the checkpoints that moved. */
  constructor(tables: WriterTables, onMoved: (checkpoints: readonly Checkpoint[]) => void) {
    this.#tables = tables;
    this.#onMoved = onMoved;
  }

  /** @throws as View.apply says. */
  apply(batch: ViewBatch): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ batch, resolve, reject });
      this.#schedule();
    });
  }

  /** @see View.unpark: the data first, then what is parked. */
  async unpark({ partition, events, from, to, letters }: Unparking): Promise<void> {
    const { store, checkpoints, entries } = this.#tables;
    const { checkpoint } = (await checkpoints.read()).of(partition);
    const { version } = parkedAt(checkpoint);
    if (version !== from.version) throw new ParkedChangedError(partition, version);
    const rows = entryRowsOf(partition, events);
    if (rows.length > 0) await store.insert(entries, ENTRY_COLUMNS, rows);
    await checkpoints.addLetters(letters);
    await checkpoints.removeLetters(
      partition,
      events.map(({ position }) => position),
    );
    await checkpoints.move([{ ...checkpoint, parked: to }]);
    this.#known.delete(partition);
  }

  #schedule(): void {
    if (this.#isWriting || this.#waiting.length === 0) return;
    this.#isWriting = true;
    setTimeout(() => void this.#round(), GATHER_MS);
  }

  async #round(): Promise<void> {
    const began_ms = performance.now();
    const group = this.#take();
    const stored = await this.#write(group).catch((error: unknown) => {
      for (const { reject } of group) reject(error);
      return [];
    });
    if (stored.length > 0) await this.#pause(began_ms, stored);
    for (const { resolve } of stored) resolve();
    this.#isWriting = false;
    this.#schedule();
  }

  /** Until rounds are no more frequent than they should be; one after an idle time is not held back. */
  async #pause(began_ms: number, steps: readonly Step[]): Promise<void> {
    const now_ms = performance.now();
    const least_ms = steps.some(({ events }) => events.length > 0) ? ROUND_MS : IDLE_ROUND_MS;
    const until_ms = Math.max(this.#due_ms, began_ms);
    this.#due_ms = until_ms + Math.max(least_ms, Math.min(3 * (now_ms - began_ms), LONGEST_ROUND_MS));
    if (until_ms > now_ms) await sleep(until_ms - now_ms);
  }

  /** The batches that waited longest, at most one per partition. */
  #take(): Pending[] {
    const group: Pending[] = [];
    const later: Pending[] = [];
    const partitions = new Set<number>();
    let events = 0;
    for (const pending of this.#waiting) {
      const { partition, events: its } = pending.batch;
      if (partitions.has(partition) || events > ROUND_EVENTS) {
        later.push(pending);
        continue;
      }
      partitions.add(partition);
      group.push(pending);
      events += its.length;
    }
    this.#waiting.splice(0, Infinity, ...later);
    return group;
  }

  /** Writes what can be written, which it gives, and rejects the others. */
  async #write(group: readonly Pending[]): Promise<readonly Step[]> {
    const steps = await this.#judge(group);
    try {
      await this.#store(steps);
      return steps;
    } catch (error) {
      if (steps.length > 1 && isRefusal(error)) {
        // One batch holds what ClickHouse does not take; the others have nothing to do with it.
        const stored: Step[] = [];
        for (const step of steps) if (await this.#storeAlone(step)) stored.push(step);
        return stored;
      }
      for (const { reject } of steps) reject(error);
      return [];
    }
  }

  async #storeAlone(step: Step): Promise<boolean> {
    try {
      await this.#store([step]);
      return true;
    } catch (error) {
      step.reject(error);
      return false;
    }
  }

  /** What each batch changes; those that are refused are answered. */
  async #judge(group: readonly Pending[]): Promise<Step[]> {
    const now_ms = performance.now();
    const known = new Map<number, Checkpoint>();
    for (const [partition, { checkpoint, since_ms }] of this.#known) {
      if (now_ms - since_ms < BELIEVED_MS) known.set(partition, checkpoint);
    }
    const steps: Step[] = [];
    const doubtful: Pending[] = [];
    for (const pending of group) {
      const at = known.get(pending.batch.partition);
      const step = at === undefined ? undefined : hopefulStep(pending, at);
      if (step === undefined) doubtful.push(pending);
      else steps.push(step);
    }
    if (doubtful.length > 0) steps.push(...(await this.#judgeAfresh(doubtful)));
    return steps;
  }

  async #judgeAfresh(group: readonly Pending[]): Promise<Step[]> {
    const standings = await this.#tables.checkpoints.read();
    const steps: Step[] = [];
    for (const pending of group) {
      const { checkpoint } = standings.of(pending.batch.partition);
      try {
        const step = stepOf(pending, checkpoint);
        await this.#assertNothingLost(step);
        steps.push(step);
      } catch (error) {
        pending.reject(error);
      }
    }
    return steps;
  }

  /**
   * What was written beyond the checkpoint before a crash is written again, so that it does no harm; but not
   * if the log has lost it since. @throws LostEventsError
   */
  async #assertNothingLost({ batch, from, events }: Step): Promise<void> {
    const { store, entries } = this.#tables;
    for (const { epoch, start } of epochsBegun(events, from.epoch)) {
      const [row] = await store.select<{ last: string }>(lostSql(entries), {
        partition: batch.partition,
        start,
        epoch,
      });
      if (row !== undefined) throw new LostEventsError(batch.partition, BigInt(row.last));
    }
  }

  async #store(steps: readonly Step[]): Promise<void> {
    const { store, checkpoints, entries } = this.#tables;
    const moved = steps.filter(({ from, to }) => to.position !== from.position || to.offset !== from.offset);
    for (const { to } of moved) this.#known.delete(to.partition);
    const rows = steps.flatMap((step) => step.rows);
    // First of all: what is parked without a letter would be lost.
    await checkpoints.addLetters(steps.flatMap(({ batch }) => batch.parking?.letters ?? []));
    if (rows.length > 0) await store.insert(entries, ENTRY_COLUMNS, rows);
    await checkpoints.move(moved.map(({ to }) => to));
    const now_ms = performance.now();
    for (const { to } of moved) this.#known.set(to.partition, { checkpoint: to, since_ms: now_ms });
    this.#onMoved(moved.map(({ to }) => to));
  }
}

/** @throws as View.apply says. */
function stepOf(pending: Pending, from: Checkpoint): Step {
  const { batch } = pending;
  const events = unseenEvents(batch, from);
  const rows = entryRowsOf(batch.partition, events);
  return { ...pending, from, to: movedCheckpoint(from, batch), events, rows };
}

/**
 * The same from a checkpoint that may be old, which is no ground to refuse anything; undefined: look afresh.
 */
function hopefulStep(pending: Pending, at: Checkpoint): Step | undefined {
  try {
    const step = stepOf(pending, at);
    return epochsBegun(step.events, at.epoch).length === 0 ? step : undefined;
  } catch {
    return undefined;
  }
}

/** The epochs after the given one that begin among events, and where. */
function epochsBegun(events: readonly RecordedEvent[], epoch: number): { epoch: number; start: bigint }[] {
  const begun: { epoch: number; start: bigint }[] = [];
  let latest = epoch;
  for (const { event, position } of events) {
    if (event.epoch <= latest) continue;
    latest = event.epoch;
    begun.push({ epoch: latest, start: position });
  }
  return begun;
}
