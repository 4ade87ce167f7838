/** Where the epochs of a log begin: what an earlier one had there, or after it, is lost. */
import type { LogReader } from '../reader.js';
import type { LogPoint } from '../recorded-event.js';

export interface EpochStart {
  readonly epoch: number;
  /** Of its EpochStarted. */
  readonly position: bigint;
}

/** A point of a history, without its hash. */
type Place = Pick<LogPoint, 'epoch' | 'position'>;

/** The epochs of the log after the first one. Epochs rise with the positions, so that each is found by bisection. */
export async function epochStarts(log: Pick<LogReader, 'at' | 'head'>): Promise<readonly EpochStart[]> {
  const head = await log.head();
  const starts: EpochStart[] = [];
  for (let [epoch, from] = [0, 0n]; epoch < head.epoch;) {
    const start = await firstAfter(log, epoch, from, head);
    starts.push(start);
    ({ epoch, position: from } = start);
  }
  return starts;
}

/** The first event of a later epoch, at or before the head. */
async function firstAfter(
  log: Pick<LogReader, 'at'>,
  epoch: number,
  from: bigint,
  head: Place,
): Promise<EpochStart> {
  let [low, found] = [from, { epoch: head.epoch, position: head.position }];
  while (low < found.position) {
    const middle = (low + found.position) / 2n;
    const event = (await log.at(middle))?.event;
    if (event === undefined) throw new Error('the log has become shorter while it was read');
    if (event.epoch > epoch) found = { epoch: event.epoch, position: middle };
    else low = middle + 1n;
  }
  return found;
}

/** Whether a later epoch begins at or before this point: then the log has something else there. */
export function isLost(starts: readonly EpochStart[], { epoch, position }: Place): boolean {
  return starts.some((start) => start.epoch > epoch && start.position <= position);
}

/** The last position that the epoch of a point shares with the log; undefined if no later one has begun. */
export function forkAfter(starts: readonly EpochStart[], epoch: number): bigint | undefined {
  const next = starts.find((start) => start.epoch > epoch);
  return next === undefined ? undefined : next.position - 1n;
}
