import { createHash } from 'node:crypto';
import { create, type MessageInitShape, toBinary } from '@bufbuild/protobuf';
import { beforeEach, describe, expect, test } from '@jest/globals';
import { ErrorReason } from '../../../gen/quittance/common/v1/error_reason_pb.js';
import type { EventSchema } from '../../../gen/quittance/event/v1/event_pb.js';
import {
  EventKind,
  GetEventRequestSchema,
  ListEventsRequestSchema,
  ListEventsResponseSchema,
  WatchEventsRequestSchema,
  type ListEventsResponse,
  type WatchEventsResponse,
  WatchEventsResponseSchema,
} from '../../../gen/quittance/query/v1/event_query_service_pb.js';
import { hexOf } from '../../../lib/base/bytes.js';
import { timestampOf } from '../../../lib/base/time.js';
import { CallError, fail } from '../../../lib/rpc/errors.js';
import type { Call } from '../../../lib/rpc/call.js';
import { LedgerFixture, testId } from '../../../test/ledger-fixture.js';
import { Freshness } from '../consistency.js';
import type { QueryContext } from '../context.js';
import { getEvent } from '../rpc/get-event.js';
import { listEvents } from '../rpc/list-events.js';
import { watchEvents } from '../rpc/watch-events.js';
import { FakeLog, START } from '../../../test/fake-log.js';

let log: FakeLog;
let context: QueryContext;
let leave: AbortController;

/** What the door of these calls can send. */
const DOOR_MAX_BYTES = 1_600_000;

const unused = Object.assign(() => Promise.reject(new Error('no view is read')), {
  refresh: () => Promise.reject(new Error('no view is read')),
});
const call = (): Call => ({
  deadline_ms: undefined,
  signal: leave.signal,
  actor: 'anonymous',
  aborted: undefined,
  onAbort: () => () => undefined,
  fits: (answer) => toBinary(ListEventsResponseSchema, answer as ListEventsResponse).length <= DOOR_MAX_BYTES,
  traceId: '0'.repeat(32),
  method: 'test',
});
const list = (request: MessageInitShape<typeof ListEventsRequestSchema>) =>
  listEvents(context)(create(ListEventsRequestSchema, { ledgerId: 'main', ...request }), call());
const watch = (start?: MessageInitShape<typeof WatchEventsRequestSchema>['start'], ledgerId = 'main') => {
  const request = create(WatchEventsRequestSchema, { ledgerId, ...(start === undefined ? {} : { start }) });
  return watchEvents(context)(request, call())[Symbol.asyncIterator]();
};
type Watching = ReturnType<typeof watch>;

async function nextOf(watching: Watching): Promise<WatchEventsResponse> {
  const result = await watching.next();
  if (result.done === true) throw new Error('the watch has ended');
  return create(WatchEventsResponseSchema, result.value);
}

/** The positions of the next events, heartbeats left out. */
async function positions(watching: Watching, count: number): Promise<(bigint | undefined)[]> {
  const found: (bigint | undefined)[] = [];
  while (found.length < count) {
    const { event } = await nextOf(watching);
    if (event !== undefined) found.push(event.event?.position);
  }
  return found;
}

async function reasonOf(work: Promise<unknown>): Promise<ErrorReason> {
  const error: unknown = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (error instanceof CallError) return error.reason;
  throw new Error('expected a CallError', { cause: error });
}

beforeEach(() => {
  log = new FakeLog();
  leave = new AbortController();
  context = {
    log,
    freshness: new Freshness(log),
    heartbeat_ms: 20,
    partitionOf: () => 0,
    balances: unused,
    history: unused,
    reports: unused,
  };
});

describe('ListEvents', () => {
  test('pages through a ledger as of the position of the first page, each event once', async () => {
    for (let index = 0; index < 60; index++) log.fill(1, index % 3 === 0 ? 'other' : 'main');
    const found: (bigint | undefined)[] = [];
    const asOfs = new Set<bigint | undefined>();
    let pageToken = '';
    do {
      const page = await list({ pageSize: 7, pageToken });
      found.push(...(page.events ?? []).map(({ event }) => event?.position));
      asOfs.add(page.asOf?.position);
      pageToken = page.nextPageToken ?? '';
      log.fill(3);
    } while (pageToken !== '');
    const all = log.events.filter(({ event, position }) => event.ledgerId === 'main' && position <= 60n);
    expect(found).toEqual(all.map(({ position }) => position));
    expect([...asOfs]).toEqual([60n]);
  });

  test('keeps to the range of positions and to the stream', async () => {
    log.fill(20);
    const page = await list({ startPosition: 5n, endPosition: 9n, streamId: 's0' });
    expect(page.events?.map(({ event }) => event?.position)).toEqual([5n, 7n]);
    expect((await list({ startPosition: 9n, endPosition: 9n })).events).toEqual([]);
    expect((await list({ startPosition: 1_000n })).events).toEqual([]);
  });

  test('shows the command of an event without its request id, and the hash that the next one holds', async () => {
    const fixture = new LedgerFixture();
    const [created] = fixture.run({
      case: 'createLedger',
      value: { ledgerId: 'main', requestId: testId(1), description: 'ours' },
    });
    if (created === undefined) throw new Error('one event');
    log.events.push(created);
    const { events } = await list({});
    expect(events?.[0]).toMatchObject({
      hash: created.hash,
      command: {
        command: { case: 'createLedger', value: { ledgerId: 'main', description: 'ours', requestId: '' } },
      },
    });
  });

  test('does not know a ledger without events', async () => {
    expect(await reasonOf(list({ ledgerId: 'nowhere' }))).toBe(ErrorReason.LEDGER_NOT_FOUND);
    expect(await reasonOf(list({ ledgerId: 'nowhere', startPosition: 99n }))).toBe(
      ErrorReason.LEDGER_NOT_FOUND,
    );
  });

  test('refuses the page token of another query', async () => {
    log.fill(20);
    const { nextPageToken = '' } = await list({ pageSize: 5 });
    expect(await reasonOf(list({ pageToken: nextPageToken, streamId: 's0' }))).toBe(
      ErrorReason.INVALID_PAGE_TOKEN,
    );
    expect((await list({ pageToken: nextPageToken, pageSize: 3 })).events).toHaveLength(3);
  });

  test('says HISTORY_LOST of a page token from before the log was restored', async () => {
    log.fill(20);
    const { nextPageToken: pageToken = '' } = await list({ pageSize: 5 });
    log.restoreTo(10n);
    expect(await reasonOf(list({ pageToken }))).toBe(ErrorReason.HISTORY_LOST);
  });

  test('lists latest first, in pages that meet', async () => {
    for (let index = 0; index < 20; index++) log.fill(1, index % 3 === 0 ? 'other' : 'main');
    const whole = await list({ startPosition: 3n, endPosition: 18n });
    const found: (bigint | undefined)[] = [];
    let pageToken = '';
    do {
      const request = { startPosition: 3n, endPosition: 18n, descending: true, pageSize: 4, pageToken };
      const page = await list(request);
      found.push(...(page.events ?? []).map(({ event }) => event?.position));
      pageToken = page.nextPageToken ?? '';
    } while (pageToken !== '');
    expect(found).toEqual((whole.events ?? []).map(({ event }) => event?.position).reverse());
    const stream = await list({ streamId: 's1', endPosition: 10n, descending: true });
    const ofStream = await list({ streamId: 's1', endPosition: 10n });
    expect(stream.events).toEqual(ofStream.events?.toReversed());
  });

  test('keeps to the range of recorded times, [from, to)', async () => {
    log.fill(20);
    const at = (position: bigint) => timestampOf(START + position * 1000n);
    const found = async (request: MessageInitShape<typeof ListEventsRequestSchema>) =>
      (await list(request)).events?.map(({ event }) => event?.position);
    expect(await found({ startRecordedTime: at(5n), endRecordedTime: at(8n) })).toEqual([5n, 6n, 7n]);
    expect(await found({ startRecordedTime: at(19n) })).toEqual([19n, 20n]);
    expect(await found({ endRecordedTime: at(3n) })).toEqual([1n, 2n]);
    expect(await found({ endRecordedTime: timestampOf(START - 1n) })).toEqual([]);
    const within = { startRecordedTime: at(5n), endRecordedTime: at(8n) };
    expect(await found({ ...within, startPosition: 6n, descending: true })).toEqual([7n, 6n]);
    const empty = { startRecordedTime: at(5n), endRecordedTime: at(5n) };
    expect(await reasonOf(list(empty))).toBe(ErrorReason.INVALID_FIELD);
  });

  /** An event of a command of `main`, sent by `actor`. */
  const appendBy = (actor: string, payload: NonNullable<MessageInitShape<typeof EventSchema>['payload']>) =>
    log.append({ ledgerId: 'main', actor, requestId: new Uint8Array(16).fill(1), payload }).position;
  const frozen = { case: 'accountFrozen', value: {} } as const;
  const closed = { case: 'accountClosed', value: {} } as const;

  test('filters by who sent the command and by what happened', async () => {
    const ada = appendBy('ada', frozen);
    const unknown = appendBy('', closed);
    const closedByAda = appendBy('ada', closed);
    log.append({ ledgerId: 'main', payload: { case: 'paymentExpired', value: {} } });
    const found = async (request: MessageInitShape<typeof ListEventsRequestSchema>) =>
      (await list(request)).events?.map(({ event }) => event?.position);
    expect(await found({ actor: 'ada' })).toEqual([ada, closedByAda]);
    expect(await found({ actor: 'ad' })).toEqual([]);
    expect(await found({ actor: 'anonymous' })).toEqual([unknown]);
    const kinds = [EventKind.ACCOUNT_CLOSED, EventKind.ACCOUNT_OPENED];
    expect(await found({ kinds })).toEqual([unknown, closedByAda]);
    expect(await found({ kinds, actor: 'ada', descending: true })).toEqual([closedByAda]);
  });

  test('looks at a bounded number of events per page, and goes on from there', async () => {
    const first = appendBy('ada', frozen);
    log.fill(4_500);
    const last = appendBy('ada', frozen);
    for (const descending of [false, true]) {
      const pages: (bigint | undefined)[][] = [];
      let pageToken = '';
      do {
        const before = log.reads.page;
        const page = await list({ actor: 'ada', descending, pageToken });
        expect(log.reads.page - before).toBeLessThanOrEqual(4);
        pages.push((page.events ?? []).map(({ event }) => event?.position));
        pageToken = page.nextPageToken ?? '';
      } while (pageToken !== '');
      expect(pages).toEqual(descending ? [[last], [], [first]] : [[first], [], [last]]);
    }
  });

  test('ends a page of filtered events at its size, with a token', async () => {
    for (let index = 0; index < 10; index++) {
      appendBy('ada', frozen);
      log.fill(1);
    }
    const page = await list({ actor: 'ada', pageSize: 6 });
    expect(page.events).toHaveLength(6);
    const rest = await list({ actor: 'ada', pageSize: 6, pageToken: page.nextPageToken ?? '' });
    expect([rest.events?.length, rest.nextPageToken]).toEqual([4, '']);
  });

  test('ends a page before its answer is too large', async () => {
    for (let index = 0; index < 5; index++) {
      const body = new Uint8Array(500_000);
      log.append({ ledgerId: 'main', canonicalBody: body, payload: { case: 'ledgerCreated', value: {} } });
    }
    const page = await list({ pageSize: 1000 });
    expect(page.events).toHaveLength(3);
    expect((await list({ pageSize: 1000, pageToken: page.nextPageToken ?? '' })).events).toHaveLength(2);
  });
});

describe('GetEvent', () => {
  const get = (position: bigint, ledgerId = 'main') =>
    getEvent(context)(create(GetEventRequestSchema, { ledgerId, position }), call());

  test('gives an event with the bytes that its hash is of', async () => {
    log.fill(5);
    const answer = await get(3n);
    const { storedEvent = new Uint8Array(0) } = answer;
    expect(answer.event?.event?.position).toBe(3n);
    expect(hexOf(createHash('sha256').update(storedEvent).digest())).toBe(
      hexOf(answer.event?.hash ?? new Uint8Array(0)),
    );
    expect(answer.asOf?.position).toBe(5n);
  });

  test('finds no event of another ledger, none beyond the end, and no ledger without events', async () => {
    log.fill(2);
    log.fill(2, 'other');
    expect(await reasonOf(get(3n))).toBe(ErrorReason.EVENT_NOT_FOUND);
    expect(await reasonOf(get(0n))).toBe(ErrorReason.EVENT_NOT_FOUND);
    expect(await reasonOf(get(5n))).toBe(ErrorReason.POSITION_OUT_OF_RANGE);
    for (const position of [3n, 99n]) {
      expect(await reasonOf(get(position, 'nowhere'))).toBe(ErrorReason.LEDGER_NOT_FOUND);
    }
  });
});

describe('WatchEvents', () => {
  test('sends what was there from a position on, then what comes, in order and without gaps', async () => {
    log.fill(250);
    const watching = watch({ case: 'startPosition', value: 2n });
    const first = await positions(watching, 249);
    expect(first).toEqual(Array.from({ length: 249 }, (_, index) => BigInt(index) + 2n));
    const coming = positions(watching, 40);
    for (let index = 0; index < 40; index++) {
      log.fill(1, index % 2 === 0 ? 'other' : 'main');
      log.fill(1, 'other');
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    log.fill(20);
    const main = log.events.filter(({ event, position }) => event.ledgerId === 'main' && position > 250n);
    expect(await coming).toEqual(main.map(({ position }) => position));
  });

  test('starts at now unless told otherwise', async () => {
    log.fill(5);
    const watching = watch();
    const greeting = await nextOf(watching);
    expect([greeting.event, greeting.asOf?.position]).toEqual([undefined, 5n]);
    log.fill(1);
    expect(await positions(watching, 1)).toEqual([6n]);
  });

  test('sends a heartbeat with the position that was seen, though the ledger is quiet', async () => {
    log.fill(5);
    const watching = watch();
    await nextOf(watching);
    log.fill(3, 'other');
    const heartbeat = await nextOf(watching);
    expect([heartbeat.event, heartbeat.asOf?.position]).toEqual([undefined, 8n]);
  });

  test('goes on after any message, by its token', async () => {
    log.fill(30);
    const watching = watch({ case: 'startPosition', value: 0n });
    let token = '';
    for (let index = 0; index < 12; index++) token = (await nextOf(watching)).resumeToken;
    expect(await positions(watch({ case: 'resumeToken', value: token }), 2)).toEqual([13n, 14n]);
  });

  test('refuses the token of another ledger, and a position beyond the end', async () => {
    log.fill(5);
    log.fill(5, 'other');
    const { resumeToken: value } = await nextOf(watch());
    expect(await reasonOf(nextOf(watch({ case: 'resumeToken', value }, 'other')))).toBe(
      ErrorReason.INVALID_RESUME_TOKEN,
    );
    expect(await reasonOf(nextOf(watch({ case: 'startPosition', value: 12n })))).toBe(
      ErrorReason.POSITION_OUT_OF_RANGE,
    );
    expect(await reasonOf(nextOf(watch(undefined, 'nowhere')))).toBe(ErrorReason.LEDGER_NOT_FOUND);
  });

  test('ends with HISTORY_LOST when the log is restored to before what was sent', async () => {
    log.fill(10);
    const watching = watch({ case: 'startPosition', value: 0n });
    await positions(watching, 10);
    log.restoreTo(5n);
    expect(await reasonOf(positions(watching, 1))).toBe(ErrorReason.HISTORY_LOST);
  });

  test('goes on when the log is restored to behind what was sent', async () => {
    log.fill(10);
    const watching = watch({ case: 'startPosition', value: 0n });
    await positions(watching, 10);
    log.restoreTo(10n);
    log.fill(2);
    expect(await positions(watching, 2)).toEqual([12n, 13n]);
  });

  test('ends with READER_TOO_SLOW when a message is left lying; its token is as good as any', async () => {
    log.fill(5);
    const request = create(WatchEventsRequestSchema, {
      ledgerId: 'main',
      start: { case: 'startPosition', value: 0n },
    });
    const slow = watchEvents(context, 5)(request, call())[Symbol.asyncIterator]();
    const { resumeToken: value } = await nextOf(slow);
    await new Promise((resolve) => setTimeout(resolve, 10));
    expect(await reasonOf(nextOf(slow))).toBe(ErrorReason.READER_TOO_SLOW);
    expect(await positions(watch({ case: 'resumeToken', value }), 1)).toEqual([2n]);
  });

  test('ends with its call', async () => {
    log.fill(5);
    const watching = watch();
    await nextOf(watching);
    context = { ...context, heartbeat_ms: 60_000 };
    const waiting = positions(watching, 1);
    leave.abort(fail(ErrorReason.CANCELLED, 'the caller left'));
    expect(await reasonOf(waiting)).toBe(ErrorReason.CANCELLED);
  });
});
