import { describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { CommandType } from '../../../gen/quittance/event/v1/event_pb.js';
import type { Job, Request } from './job.js';
import { JobQueue } from './queue.js';

const LIMIT = 10_000;
const FLUSH = 200;

function request(ledgerId: string): Request {
  return {
    command: { type: 'CreateLedger', ledgerId, requestId: '', description: '', metadata: {} },
    type: CommandType.CREATE_LEDGER,
    canonical: null,
    body: new Uint8Array(0),
    validateOnly: false,
    actor: 'anonymous',
    traceId: '',
  };
}

/** A job with a command for each of the ledgers. */
function job(ledgerIds: readonly string[], sequence?: object): Job {
  return {
    isAtomic: false,
    requests: ledgerIds.map(request),
    caller: undefined,
    sequence,
    answer: () => undefined,
  };
}

const repeated = (ledgerId: string, commands: number) => Array.from({ length: commands }, () => ledgerId);
const queueOf = () => new JobQueue(LIMIT, () => undefined);

function flood(queue: JobQueue, ledgerId: string, jobs: number, commands = 1): void {
  for (let index = 0; index < jobs; index += 1) queue.offer(job(repeated(ledgerId, commands)));
}

function drain(queue: JobQueue): Job[] {
  const taken: Job[] = [];
  while (!queue.isEmpty) taken.push(...queue.take(FLUSH));
  return taken;
}

const commandsOf = (jobs: readonly Job[], ledgerId: string) =>
  jobs.flatMap(({ requests }) => requests).filter(({ command }) => command.ledgerId === ledgerId).length;

describe('the queue', () => {
  test('takes a quiet ledger in the next flush, however much of another waits', () => {
    const queue = queueOf();
    flood(queue, 'flood', 9_000);
    queue.take(FLUSH);
    const quiet = job(['quiet']);
    queue.offer(quiet);
    expect(queue.peek(FLUSH)).toContain(quiet);
    expect(queue.take(FLUSH).indexOf(quiet)).toBeLessThanOrEqual(1);
  });

  test('shares each flush among the ledgers that wait, by commands and not by calls', () => {
    const queue = queueOf();
    flood(queue, 'batches', 40, 100);
    flood(queue, 'single', 3_000);
    flood(queue, 'stream', 30, 50);
    let taken: Job[] = [];
    for (let flush = 0; flush < 15; flush += 1) taken = [...taken, ...queue.take(FLUSH)];
    const shares = ['batches', 'single', 'stream'].map((ledgerId) => commandsOf(taken, ledgerId));
    for (const share of shares) expect(Math.abs(share - 1_000)).toBeLessThanOrEqual(100);
  });

  test('has room for a quiet ledger when another has filled it', () => {
    const queue = queueOf();
    flood(queue, 'flood', LIMIT);
    expect(queue.offer(job(['flood']))).toBe(false);
    expect(queue.offer(job(['quiet']))).toBe(true);
    expect(queue.offer(job(['quiet', 'flood']))).toBe(false);
    flood(queue, 'other', 500);
    // A hundredth of the limit for each, and a tenth for all.
    expect(commandsOf(drain(queue), 'other')).toBe(100);
    flood(queue, 'flood', LIMIT);
    for (let index = 0; index < 2_000; index += 1) queue.offer(job([`ledger-${String(index)}`]));
    expect(queue.size).toBe(LIMIT + LIMIT / 10);
  });

  test('lets streams of a quiet ledger in where those of a flooded one wait', () => {
    const queue = queueOf();
    flood(queue, 'flood', 6_000);
    expect(queue.hasRoomForStream(['flood', {}], 100)).toBe(false);
    expect(queue.hasRoomForStream(['quiet', 'flood', {}], 100)).toBe(false);
    expect(queue.hasRoomForStream(['quiet', {}], 100)).toBe(true);
    flood(queue, 'quiet', 1);
    expect(queue.hasRoomForStream(['quiet', {}], 100)).toBe(false);
  });

  test('puts jobs back before all others, and keeps counting', () => {
    const queue = queueOf();
    flood(queue, 'flood', 300);
    const again = queue.take(FLUSH).slice(-2);
    queue.putBack(again);
    queue.offer(job(['quiet']));
    expect(queue.take(FLUSH).slice(0, 2)).toEqual(again);
    expect([queue.size, queue.isEmpty]).toEqual([0, true]);
    // Nothing is left of the ledgers: the first one is as new as the second.
    queue.offer(job(['flood']));
    queue.offer(job(['other']));
    expect(drain(queue).map(({ requests }) => requests[0]?.command.ledgerId)).toEqual(['flood', 'other']);
  });

  test('keeps the order of each ledger and of each sequence, and takes each job once', () => {
    const ledgers = fc.array(fc.constantFrom('a', 'b', 'c', 'd'), { minLength: 1, maxLength: 3 });
    const step = fc.oneof(
      fc.record({ ledgers, repeat: fc.constantFrom(1, 1, 7, 60), sequence: fc.constantFrom(null, 0, 1) }),
      fc.record({ take: fc.integer({ min: 1, max: 150 }) }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
        const queue = queueOf();
        const sequences = [{}, {}];
        const offered: Job[] = [];
        const taken: Job[] = [];
        for (const each of steps) {
          if ('take' in each) {
            taken.push(...queue.take(each.take));
            continue;
          }
          const sequence = each.sequence === null ? undefined : sequences[each.sequence];
          const next = job(
            each.ledgers.flatMap((ledgerId) => repeated(ledgerId, each.repeat)),
            sequence,
          );
          if (queue.offer(next)) offered.push(next);
        }
        taken.push(...drain(queue));
        const isOf = (key: string | object) => (each: Job) =>
          each.sequence === key || each.requests.some(({ command }) => command.ledgerId === key);
        expect([taken.length, new Set(taken)]).toEqual([offered.length, new Set(offered)]);
        for (const key of ['a', 'b', 'c', 'd', ...sequences]) {
          expect(taken.filter(isOf(key))).toEqual(offered.filter(isOf(key)));
        }
      }),
    );
  });
});
