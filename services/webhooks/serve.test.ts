/** One turn of a webhook, over a log in memory. */
import { expect, test } from '@jest/globals';
import { FakeLog } from '../../test/fake-log.js';
import type { Delivered, FailedAttempt, WebhookClaim } from './claim.js';
import { WebhookFigures } from './figures.js';
import type { Outcome, Post } from './sender.js';
import { type ServeDeps, serveWebhook } from './serve.js';
import { newSecret } from './signature.js';

const LEDGER = 'main';
const SUCCESS: Outcome = { isDelivered: true };
const FAILURE: Outcome = { isDelivered: false, failure: 'HTTP 500', isGone: false, retryAfter_ms: 0 };

const CLAIM: WebhookClaim = {
  ledgerId: LEDGER,
  webhookId: 'all',
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
};

interface Seen {
  readonly sent: string[];
  readonly moved: Delivered[];
  readonly failed: FailedAttempt[];
  readonly epochs: (readonly [number, bigint | undefined])[];
}

/** Serves a claim, and tells what was sent and kept. `voidAfter`: a call changes the webhook after so many moves. */
async function serve(
  log: FakeLog,
  claim: WebhookClaim,
  {
    answer = () => SUCCESS,
    requested = [],
    voidAfter = Infinity,
  }: {
    readonly answer?: (id: string) => Outcome;
    readonly requested?: readonly bigint[];
    readonly voidAfter?: number;
  } = {},
): Promise<Seen> {
  const seen: Seen = { sent: [], moved: [], failed: [], epochs: [] };
  const asked = [...requested];
  const deps: ServeDeps = {
    log,
    clock: () => 1_000_000n,
    figures: new WebhookFigures(),
    userAgent: 'test',
    pauseAfter_ms: (attempts) => attempts * 1_000,
    lease_ms: 1_000,
    turn_ms: 60_000,
    sender: {
      post: ({ headers }: Post) => {
        const id = headers['webhook-id'] ?? '';
        seen.sent.push(id);
        return Promise.resolve(answer(id));
      },
      close: () => undefined,
    },
    store: {
      hasActive: () => Promise.resolve(true),
      claim: () => Promise.resolve([]),
      moved: (_, delivered) => {
        seen.moved.push(delivered);
        if (asked[0] === delivered.delivered) asked.shift();
        return Promise.resolve(seen.moved.length <= voidAfter);
      },
      failed: (_, attempt) => {
        seen.failed.push(attempt);
        return Promise.resolve('retrying');
      },
      requested: () => Promise.resolve([...asked]),
      followEpoch: (_, epoch, fork) => {
        seen.epochs.push([epoch, fork]);
        return Promise.resolve(true);
      },
      release: () => Promise.resolve(),
    },
  };
  await serveWebhook(claim, deps, new AbortController().signal);
  return seen;
}

test('events of its ledger are sent one after the other, each kept before the next is sent', async () => {
  const log = new FakeLog();
  log.fill(150, LEDGER);
  log.fill(2, 'other');
  const { sent, moved } = await serve(log, CLAIM);
  expect(sent).toEqual(Array.from({ length: 150 }, (_, index) => `0-0-${String(index + 1)}`));
  expect(moved.map(({ position, delivered }) => [position, delivered])).toEqual(
    Array.from({ length: 150 }, (_, index) => [BigInt(index + 1), BigInt(index + 1)]),
  );
});

test('nothing is sent after a call has changed the webhook', async () => {
  const log = new FakeLog();
  log.fill(5, LEDGER);
  const { sent } = await serve(log, CLAIM, { voidAfter: 1 });
  expect(sent).toEqual(['0-0-1', '0-0-2']);
});

test('an event that is refused ends the turn, and its attempts lengthen the pause', async () => {
  const log = new FakeLog();
  log.fill(5, LEDGER);
  const claim = { ...CLAIM, position: 1n, retrying: { position: 2n, attempts: 4 } };
  const { sent, failed } = await serve(log, claim, { answer: () => FAILURE });
  expect(sent).toEqual(['0-0-2']);
  expect(failed).toMatchObject([
    { position: 2n, eventId: '0-0-2', before: 1n, isRequested: false, failure: 'HTTP 500', pause_ms: 5_000 },
  ]);
  const later = await serve(log, claim, {
    answer: (id) => (id === '0-0-2' ? SUCCESS : { ...FAILURE, retryAfter_ms: 120_000 }),
  });
  expect(later.failed).toMatchObject([{ position: 3n, before: 2n, pause_ms: 120_000 }]);
});

test('what was asked for once more goes first, and moves no place', async () => {
  const log = new FakeLog();
  log.fill(5, LEDGER);
  const claim = { ...CLAIM, position: 4n, hasRequested: true };
  const { sent, moved } = await serve(log, claim, { requested: [1n, 3n] });
  expect(sent).toEqual(['0-0-1', '0-0-3', '0-0-5']);
  expect(moved).toEqual([
    { position: 4n, delivered: 1n },
    { position: 4n, delivered: 3n },
    { position: 5n, delivered: 5n },
  ]);
  const refused = await serve(log, claim, { requested: [1n, 3n], answer: () => FAILURE });
  expect(refused.sent).toEqual(['0-0-1']);
  expect(refused.failed).toMatchObject([{ position: 1n, isRequested: true, before: 4n }]);
});

test('of a log that was restored to an older end, what follows the fork is sent as what it is now', async () => {
  const log = new FakeLog();
  log.fill(6, LEDGER);
  log.restoreTo(2n);
  log.fill(2, LEDGER);
  const { sent, epochs } = await serve(log, { ...CLAIM, position: 6n });
  expect(epochs).toEqual([[1, 2n]]);
  expect(sent).toEqual(['0-1-4', '0-1-5']);
  // One that had not come so far has lost nothing.
  const behind = await serve(log, { ...CLAIM, position: 1n });
  expect(behind.sent).toEqual(['0-0-2', '0-1-4', '0-1-5']);
});
