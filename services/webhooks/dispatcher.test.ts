/** When the dispatcher looks, and what it does with what it finds; the deliveries themselves are over an empty log. */
import { afterEach, expect, test } from '@jest/globals';
import { pino } from 'pino';
import { Wakeups } from '../../lib/log/wakeups.js';
import { FakeLog } from '../../test/fake-log.js';
import { until } from '../../test/load.js';
import type { WebhookClaim } from './claim.js';
import { Dispatcher, type DispatcherDeps } from './dispatcher.js';
import { WebhookFigures } from './figures.js';
import { newSecret } from './signature.js';
import type { DeliveryStore } from './store.js';

let running: Dispatcher | undefined;

afterEach(async () => {
  await running?.stop();
  running = undefined;
});

const claimOf = (webhookId: string): WebhookClaim => ({
  ledgerId: 'main',
  webhookId,
  holder: 'one',
  version: 1n,
  url: 'https://receiver.test/',
  kinds: [],
  accountIds: [],
  secrets: [newSecret()],
  epoch: 0,
  position: 0n,
  retrying: undefined,
  hasRequested: false,
});

/** Starts one over a store that is as given. */
function start(
  store: Partial<DeliveryStore>,
  { log = new FakeLog(), commits = new Wakeups() }: Partial<Pick<DispatcherDeps, 'commits' | 'log'>> = {},
): Dispatcher {
  running = new Dispatcher({
    log,
    commits,
    clock: () => 0n,
    figures: new WebhookFigures(),
    holder: 'one',
    lease_ms: 60_000,
    logger: pino({ level: 'silent' }),
    pauseAfter_ms: () => 0,
    sender: { post: () => Promise.resolve({ isDelivered: true }), close: () => undefined },
    served: 2,
    turn_ms: 60_000,
    userAgent: 'test',
    store: {
      hasActive: () => Promise.resolve(true),
      claim: () => Promise.resolve([]),
      moved: () => Promise.resolve(true),
      failed: () => Promise.resolve('retrying'),
      requested: () => Promise.resolve([]),
      followEpoch: () => Promise.resolve(true),
      release: () => Promise.resolve(),
      ...store,
    },
  });
  running.start();
  return running;
}

test('while no webhook is active nothing is claimed, and commits wake nothing', async () => {
  let waits = 0;
  let looks = 0;
  let claims = 0;
  let isActive = false;
  const commits = {
    count: 0,
    wait: () => {
      waits += 1;
      return new Promise<void>(() => undefined);
    },
  };
  const dispatcher = start(
    {
      hasActive: () => {
        looks += 1;
        return Promise.resolve(isActive);
      },
      claim: () => {
        claims += 1;
        return Promise.resolve([]);
      },
    },
    { commits },
  );
  for (const seen of [1, 2]) {
    await until('it looks', () => looks >= seen);
    expect([waits, claims]).toEqual([0, 0]);
    isActive = seen === 2;
    dispatcher.changed();
  }
  await until('it claims once there is an active one, and waits for commits then', () => waits > 0);
  expect(claims).toBeGreaterThan(0);
});

test('no more are served than there are places, and one that is served is not served twice', async () => {
  const log = new FakeLog();
  let open: () => void = () => undefined;
  log.headGate = new Promise((resolve) => (open = resolve));
  const limits: number[] = [];
  const released: string[] = [];
  const waiting = ['a', 'a', 'b'];
  start(
    {
      claim: (_holder, limit) => {
        limits.push(limit);
        return Promise.resolve(waiting.splice(0, 1).map(claimOf));
      },
      release: ({ webhookId }) => {
        released.push(webhookId);
        return Promise.resolve();
      },
    },
    { log },
  );
  await until('both places are taken', () => waiting.length === 0);
  expect(limits).toEqual([2, 1, 1]);
  expect(log.reads.head).toBe(2);
  open();
  await until('both are given back', () => released.length === 2);
  expect(released.sort()).toEqual(['a', 'b']);
});

test('one that cannot be served is given back, and left alone for a while', async () => {
  const log = new FakeLog();
  const released: [string, number][] = [];
  const waiting = ['a'];
  log.away = new Error('away');
  start(
    {
      claim: () => Promise.resolve(waiting.splice(0).map(claimOf)),
      release: ({ webhookId }, pause_ms) => {
        released.push([webhookId, pause_ms]);
        return Promise.resolve();
      },
    },
    { log },
  );
  await until('it is given back', () => released.length === 1);
  expect(released).toEqual([['a', 5_000]]);
});
