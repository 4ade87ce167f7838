/** Webhooks of a whole Quittance: what receivers get, how failures are met, and what calls show of it. */
import { randomUUID } from 'node:crypto';
import net from 'node:net';
import { create, type JsonObject } from '@bufbuild/protobuf';
import { FieldMaskSchema } from '@bufbuild/protobuf/wkt';
import { type Client, ConnectError } from '@connectrpc/connect';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { ErrorInfoSchema } from '../../../gen/google/rpc/error_details_pb.js';
import {
  WebhookDeliveryState,
  WebhookService,
  WebhookState,
} from '../../../gen/quittance/ops/v1/webhook_service_pb.js';
import { EventKind, EventQueryService } from '../../../gen/quittance/query/v1/event_query_service_pb.js';
import { TransactionCommandService } from '../../../gen/quittance/command/v1/transaction_command_service_pb.js';
import { openBooks, patientClient, paymentOf, proveBooks, until } from '../../../test/load.js';
import { createTestDatabase, type TestDatabase } from '../../../test/postgres.js';
import type { GrpcClient } from '../../../tools/client/grpc-client.js';
import { startPlatform, type TestPlatform } from '../../standalone/test/platform.js';
import type { LookUp } from '../sender.js';
import { isSignedBy, positionOf, type Receiver, startReceiver, status } from './receiver.js';

const { submitPayment } = TransactionCommandService.method;

/** Where the names of the tests lead: what is looked up when a webhook is created may be another address later. */
const names = new Map<string, string>();
const lookUp: LookUp = (name, _options, found) => {
  const address = names.get(name);
  if (address === undefined) found(Object.assign(new Error('no such name'), { code: 'ENOTFOUND' }), []);
  else found(null, [{ address, family: 4 }]);
};
const OPTIONS = { networks: ['127.0.0.0/8'], lookUp, timeout_ms: 60_000, pauseAfter_ms: () => 20 };

let database: TestDatabase;
let platform: TestPlatform;
let client: GrpcClient;
let webhooks: Client<typeof WebhookService>;
let receiver: Receiver;
let ledgerId: string;
const receivers: Receiver[] = [];

async function start(options: Partial<typeof OPTIONS> = {}): Promise<void> {
  platform = await startPlatform({ database, webhooks: { ...OPTIONS, ...options } });
  client = patientClient(platform.grpcAddress);
  webhooks = platform.grpc(WebhookService);
}

/** Ends the process, and leaves its database. */
async function end(): Promise<void> {
  client.close();
  await platform.standalone.drain();
  await platform.standalone.close();
}

beforeAll(async () => {
  database = await createTestDatabase();
  await start();
});

afterAll(async () => {
  await end();
  await database.drop();
});

beforeEach(async () => {
  ledgerId = `hooks-${randomUUID().slice(0, 8)}`;
  await openBooks(client, ledgerId, 3);
  receiver = await anotherReceiver();
});

afterEach(async () => {
  const { webhooks: left } = await webhooks.listWebhooks({ ledgerId });
  for (const { webhookId } of left) await webhooks.deleteWebhook({ ledgerId, webhookId });
  for (const each of receivers.splice(0)) await each.close();
});

async function anotherReceiver(...answer: Parameters<typeof startReceiver>): Promise<Receiver> {
  const started = await startReceiver(...answer);
  receivers.push(started);
  return started;
}

/** A webhook of all events of the ledger, from the first on. */
const hook = (request: Parameters<typeof webhooks.createWebhook>[0] = {}) =>
  webhooks.createWebhook({ ledgerId, webhookId: 'all', url: receiver.url, startPosition: 0n, ...request });

const shown = async (webhookId = 'all') => {
  const { webhook } = await webhooks.getWebhook({ ledgerId, webhookId });
  if (webhook === undefined) throw new Error('an answer has the webhook');
  return webhook;
};

const failures = async (webhookId = 'all') =>
  (await webhooks.listWebhookDeliveries({ ledgerId, webhookId })).deliveries;

/** The reason of a call that fails. */
async function endingOf(call: Promise<unknown>): Promise<string> {
  const error = await call.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (error === undefined) return 'OK';
  if (!(error instanceof ConnectError))
    throw new Error('the call failed without an answer', { cause: error });
  return error.findDetails(ErrorInfoSchema)[0]?.reason ?? '';
}

const pay = () => client.unary(submitPayment, paymentOf(ledgerId, 'a0', 'a1'));

/** The positions of all events of the ledger. */
async function positions(): Promise<bigint[]> {
  const { events } = await platform.grpc(EventQueryService).listEvents({ ledgerId, pageSize: 1000 });
  return events.map(({ event }) => event?.position ?? -1n);
}

/** Resolves when the receiver has taken the last event of the ledger. */
async function tookAll(from = receiver): Promise<void> {
  const last = (await positions()).at(-1);
  await until('the receiver has all', () => from.taken.some((id) => positionOf({ id }) === last));
}

const takenBy = (from: Receiver) => from.taken.map((id) => positionOf({ id }));
const distinct = (list: readonly bigint[]) => [...new Set(list)];

describe('a receiver gets', () => {
  test('every event once, in order, as the API shows it, in a signed CloudEvent', async () => {
    const { secret } = await hook();
    for (let count = 0; count < 5; count += 1) await pay();
    await tookAll();
    expect(takenBy(receiver)).toEqual(await positions());
    const listed = await fetch(`${platform.connectUrl}/${EventQueryService.typeName}/ListEvents`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ ledgerId }),
    });
    const { events } = (await listed.json()) as { readonly events: readonly JsonObject[] };
    const bodies = receiver.received.map(({ body }) => JSON.parse(body) as JsonObject);
    expect(bodies.map(({ data }) => data)).toEqual(events);
    expect(bodies.at(-1)).toMatchObject({
      specversion: '1.0',
      id: receiver.received.at(-1)?.id,
      source: '/quittance/shards/0',
      type: 'quittance.event.v1.transactionPosted',
      datacontenttype: 'application/json',
      partitionkey: ledgerId,
      time: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/),
    });
    for (const request of receiver.received) {
      expect(request.headers['content-type']).toBe('application/cloudevents+json; charset=utf-8');
      expect(request.headers['user-agent']).toMatch(/^Quittance\/\d/);
      expect(isSignedBy(secret, request)).toBe(true);
      const age_s = Date.now() / 1000 - Number(request.headers['webhook-timestamp']);
      expect(Math.abs(age_s)).toBeLessThan(600);
    }
    await until('nothing waits', async () => (await shown()).position === (await shown()).ledgerPosition);
  });

  test('only what comes from now on, unless a position is named', async () => {
    await hook({ startPosition: undefined });
    const { position } = await pay();
    await tookAll();
    expect(takenBy(receiver)).toEqual([position]);
  });

  test('only events of the kinds and accounts that were asked for, and the place goes past the others', async () => {
    const others = await anotherReceiver();
    await hook({ kinds: [EventKind.ACCOUNT_OPENED] });
    await hook({ webhookId: 'a2', url: others.url, accountIds: ['a2'] });
    await pay();
    const atEnd = async (id: string) => (await shown(id)).position === (await shown(id)).ledgerPosition;
    await until('both are at the end', async () => (await atEnd('all')) && (await atEnd('a2')));
    const types = receiver.received.map(({ body }) => (JSON.parse(body) as { type: string }).type);
    expect(types).toEqual(Array(4).fill('quittance.event.v1.accountOpened'));
    const dataOf = ({ body }: { body: string }) => JSON.stringify((JSON.parse(body) as JsonObject)['data']);
    expect(others.received.length).toBe(2);
    for (const request of others.received) expect(dataOf(request)).toContain('"a2"');
  });

  test('signatures of both secrets after a rotation, until the time given', async () => {
    const first = await hook();
    const second = await webhooks.rotateWebhookSecret({ ledgerId, webhookId: 'all', overlapSeconds: 600 });
    expect(second.webhook?.previousSecretExpireTime).toBeDefined();
    await pay();
    await tookAll();
    const both = receiver.received.at(-1);
    if (both === undefined) throw new Error('it has taken one');
    expect([isSignedBy(first.secret, both), isSignedBy(second.secret, both)]).toEqual([true, true]);
    const given = `whsec_${Buffer.alloc(24, 7).toString('base64')}`;
    const third = await webhooks.rotateWebhookSecret({
      ledgerId,
      webhookId: 'all',
      overlapSeconds: 0,
      secret: given,
    });
    expect([third.secret, third.webhook?.previousSecretExpireTime]).toEqual([given, undefined]);
    await pay();
    await tookAll();
    const last = receiver.received.at(-1);
    if (last === undefined) throw new Error('it has taken one');
    expect([second.secret, given].map((secret) => isSignedBy(secret, last))).toEqual([false, true]);
  });
});

describe('a receiver that', () => {
  test('fails gets the same event again and none behind it, then all in order', async () => {
    receiver.answer(status(503));
    await hook();
    await until('it was tried three times', () => receiver.received.length >= 3);
    const [first] = await positions();
    expect(distinct(receiver.received.map(positionOf))).toEqual([first]);
    const { retrying } = await shown();
    expect(retrying).toMatchObject({
      position: first,
      eventId: receiver.received[0]?.id,
      state: WebhookDeliveryState.RETRYING,
      failure: 'HTTP 503',
    });
    expect(retrying?.attempts).toBeGreaterThanOrEqual(2);
    expect(retrying?.nextAttemptTime).toBeDefined();
    expect(await failures()).toMatchObject([{ position: first, failure: 'HTTP 503' }]);
    receiver.answer(status(200));
    await tookAll();
    expect(takenBy(receiver)).toEqual(await positions());
    await until('the failure is forgotten', async () => (await failures()).length === 0);
  });

  test('fails for longer than the retry period has its events parked; they are sent when asked for', async () => {
    receiver.answer(status(500));
    await hook({ retryPeriodSeconds: 0 });
    const all = await positions();
    await until('all are parked', async () => (await shown()).parkedCount === BigInt(all.length));
    expect((await shown()).retrying).toBeUndefined();
    const parked = await failures();
    expect(parked.map(({ position }) => position)).toEqual(all);
    for (const delivery of parked) {
      expect(delivery).toMatchObject({
        state: WebhookDeliveryState.PARKED,
        attempts: 1,
        failure: 'HTTP 500',
      });
      expect(delivery.nextAttemptTime).toBeUndefined();
    }
    const page = await webhooks.listWebhookDeliveries({ ledgerId, webhookId: 'all', pageSize: 2 });
    expect(page.deliveries).toEqual(parked.slice(0, 2));
    const { deliveries: rest, nextPageToken } = await webhooks.listWebhookDeliveries({
      ledgerId,
      webhookId: 'all',
      pageSize: 2,
      pageToken: page.nextPageToken,
    });
    expect([rest, nextPageToken === '']).toEqual([parked.slice(2, 4), all.length <= 4]);

    const target = { case: 'position' as const, value: all[1] ?? -1n };
    const again = await webhooks.retryWebhookDelivery({ ledgerId, webhookId: 'all', target });
    expect(again.requestedCount).toBe(1n);
    await until('it failed again', async () => (await failures())[1]?.attempts === 2);
    expect((await failures())[1]?.state).toBe(WebhookDeliveryState.PARKED);

    receiver.answer(status(200));
    const everything = { case: 'all' as const, value: true };
    await webhooks.retryWebhookDelivery({ ledgerId, webhookId: 'all', target: everything });
    await until('nothing is parked', async () => (await shown()).parkedCount === 0n);
    expect(takenBy(receiver)).toEqual(all);
    const { position } = await pay();
    await tookAll();
    expect(takenBy(receiver).at(-1)).toBe(position);
  });

  test('does not answer holds up no other one', async () => {
    const silent = await anotherReceiver(() => undefined);
    await hook({ webhookId: 'silent', url: silent.url });
    await until('it was asked', () => silent.received.length > 0);
    await hook();
    await pay();
    await tookAll();
    expect(takenBy(receiver)).toEqual(await positions());
    expect(silent.received.length).toBe(1);
  });

  test('wants no more pauses its webhook', async () => {
    receiver.answer(status(410));
    await hook();
    await until('it is paused', async () => (await shown()).state === WebhookState.PAUSED);
    expect(await shown()).toMatchObject({ pauseReason: 'the receiver answered HTTP 410: it wants no more' });
    expect(receiver.received.length).toBe(1);
    receiver.answer(status(200));
    await webhooks.resumeWebhook({ ledgerId, webhookId: 'all' });
    await tookAll();
    expect(takenBy(receiver)).toEqual(await positions());
  });

  test('redirects, answers garbage or has no address is shown with the reason, and nothing goes elsewhere', async () => {
    const garbage = net.createServer((socket) => {
      socket.on('error', () => undefined);
      socket.once('data', () => socket.end('220 mail.example ESMTP\r\n'));
    });
    await new Promise<void>((resolve) => garbage.listen(0, '127.0.0.1', resolve));
    const { port } = garbage.address() as net.AddressInfo;
    const redirecting = await anotherReceiver(status(302, { location: receiver.url }));
    await hook({ webhookId: 'garbage', url: `http://127.0.0.1:${String(port)}/` });
    await hook({ webhookId: 'redirects', url: redirecting.url });
    await hook({ webhookId: 'nameless', url: 'https://nowhere.test/' });
    const failureOf = async (id: string) => (await shown(id)).retrying?.failure;
    const expected = {
      garbage: 'the answer is not HTTP',
      redirects: 'HTTP 302, and redirects are not followed',
      nameless: 'the name has no address',
    };
    for (const [id, failure] of Object.entries(expected)) {
      await until(`${id} has failed`, async () => (await failureOf(id)) !== undefined);
      expect([id, await failureOf(id)]).toEqual([id, failure]);
    }
    expect(receiver.received).toEqual([]);
    await new Promise((resolve) => garbage.close(resolve));
  });

  test('moves into a private network after its webhook was created is not called there', async () => {
    names.set('moving.test', '8.8.8.8');
    await webhooks.createWebhook({ ledgerId, webhookId: 'all', url: 'https://moving.test/' });
    names.set('moving.test', '10.0.0.1');
    await pay();
    await until('it has failed', async () => (await shown()).retrying !== undefined);
    expect((await shown()).retrying?.failure).toBe('the address is not allowed');
  });
});

describe('a webhook', () => {
  test('that is paused sends nothing, and goes on where it was', async () => {
    await hook();
    await tookAll();
    const paused = await webhooks.pauseWebhook({ ledgerId, webhookId: 'all', reason: 'rebuilding' });
    expect(paused.webhook).toMatchObject({ state: WebhookState.PAUSED, pauseReason: 'rebuilding' });
    const before = receiver.received.length;
    const sentinel = await anotherReceiver();
    await hook({ webhookId: 'sentinel', url: sentinel.url });
    await pay();
    await tookAll(sentinel);
    expect(receiver.received.length).toBe(before);
    const resumed = await webhooks.resumeWebhook({ ledgerId, webhookId: 'all' });
    expect(resumed.webhook).toMatchObject({ state: WebhookState.ACTIVE, pauseReason: '' });
    await tookAll();
    expect(takenBy(receiver)).toEqual(await positions());
  });

  test('that fails is sent on to another URL when it is changed', async () => {
    receiver.answer(status(500));
    await hook();
    await until('it has failed', async () => (await shown()).retrying !== undefined);
    const other = await anotherReceiver();
    const { webhook } = await webhooks.updateWebhook({
      ledgerId,
      webhookId: 'all',
      url: other.url,
      description: 'moved',
      updateMask: create(FieldMaskSchema, { paths: ['url', 'description'] }),
    });
    expect(webhook).toMatchObject({ url: other.url, description: 'moved', retryPeriodSeconds: 259_200 });
    await tookAll(other);
    expect(takenBy(other)).toEqual(await positions());
    expect(receiver.taken).toEqual([]);
  });

  test('is replayed from a position under the same ids, and never forward', async () => {
    await hook();
    await pay();
    await tookAll();
    const ids = [...receiver.taken];
    const all = await positions();
    const startPosition = all[2] ?? 0n;
    await webhooks.replayWebhook({ ledgerId, webhookId: 'all', startPosition });
    await until('it came again', () => receiver.taken.length === ids.length + all.length - 2);
    expect(receiver.taken.slice(ids.length)).toEqual(ids.slice(2));
    const ahead = webhooks.replayWebhook({
      ledgerId,
      webhookId: 'all',
      startPosition: (all.at(-1) ?? 0n) + 2n,
    });
    expect(await endingOf(ahead)).toBe('POSITION_OUT_OF_RANGE');
  });

  test('of another ledger, or that is deleted, is not there', async () => {
    await hook();
    const key = { ledgerId, webhookId: 'all' };
    await webhooks.deleteWebhook(key);
    const elsewhere = { ledgerId: 'elsewhere', webhookId: 'all' };
    const all = { case: 'all' as const, value: true };
    for (const each of [key, elsewhere]) {
      const updateMask = create(FieldMaskSchema, { paths: ['description'] });
      for (const call of [
        webhooks.getWebhook(each),
        webhooks.pauseWebhook(each),
        webhooks.resumeWebhook(each),
        webhooks.deleteWebhook(each),
        webhooks.updateWebhook({ ...each, description: 'x', updateMask }),
        webhooks.rotateWebhookSecret(each),
        webhooks.listWebhookDeliveries(each),
        webhooks.retryWebhookDelivery({ ...each, target: all }),
        webhooks.replayWebhook({ ...each, startPosition: 0n }),
      ]) {
        expect(await endingOf(call)).toBe('WEBHOOK_NOT_FOUND');
      }
    }
    expect(await endingOf(webhooks.listWebhooks({ ledgerId: 'elsewhere' }))).toBe('LEDGER_NOT_FOUND');
    expect(await endingOf(hook({ ledgerId: 'elsewhere' }))).toBe('LEDGER_NOT_FOUND');
  });

  test('is refused where its request is wrong', async () => {
    await hook();
    expect(await endingOf(hook())).toBe('WEBHOOK_ALREADY_EXISTS');
    const end = (await positions()).at(-1) ?? 0n;
    const other = (request: Parameters<typeof hook>[0]) => endingOf(hook({ webhookId: 'other', ...request }));
    expect(await other({ startPosition: end + 1_000n })).toBe('POSITION_OUT_OF_RANGE');
    expect(await other({ secret: `whsec_${'A'.repeat(32)}=` })).toBe('INVALID_FIELD');
    expect(await other({ description: 'a\0b' })).toBe('INVALID_FIELD');
    expect(await other({ retryPeriodSeconds: 604_801 })).toBe('INVALID_FIELD');
    names.set('private.test', '192.168.7.7');
    for (const url of [
      'nothing',
      'ftp://8.8.8.8/',
      'https://user:word@8.8.8.8/',
      'https://8.8.8.8/#part',
      'http://8.8.8.8/',
      'https://10.0.0.1/',
      'https://[::1]/',
      'https://169.254.169.254/latest/meta-data/',
      'https://private.test/',
      'https://0xa9fea9fe/',
    ]) {
      expect([url, await other({ url })]).toEqual([url, 'WEBHOOK_URL_NOT_ALLOWED']);
    }
    const key = { ledgerId, webhookId: 'all' };
    const updateOf = (request: object, ...paths: string[]) =>
      endingOf(
        webhooks.updateWebhook({ ...key, ...request, updateMask: create(FieldMaskSchema, { paths }) }),
      );
    expect(await updateOf({ url: 'https://10.0.0.1/' }, 'url')).toBe('WEBHOOK_URL_NOT_ALLOWED');
    expect(await updateOf({ url: receiver.url }, 'description')).toBe('INVALID_FIELD');
    expect(await updateOf({}, 'url.host')).toBe('INVALID_FIELD');
    expect(await updateOf({})).toBe('INVALID_FIELD');
    const target = { case: 'position' as const, value: 1n };
    expect(await endingOf(webhooks.retryWebhookDelivery({ ...key, target }))).toBe(
      'WEBHOOK_DELIVERY_NOT_FOUND',
    );
    expect((await webhooks.listWebhooks({ ledgerId })).webhooks.map(({ webhookId }) => webhookId)).toEqual([
      'all',
    ]);
  });

  test('is one of at most twenty of its ledger', async () => {
    for (let index = 0; index < 20; index += 1) {
      await hook({ webhookId: `h${String(index)}`, startPosition: undefined });
    }
    expect(await endingOf(hook({ webhookId: 'one-more' }))).toBe('TOO_MANY_WEBHOOKS');
    expect(await endingOf(hook({ webhookId: 'h7' }))).toBe('WEBHOOK_ALREADY_EXISTS');
  });
});

test('over a restart nothing is lost: what was failing, what was parked, and where each webhook was', async () => {
  const failing = await anotherReceiver(status(500));
  const parking = await anotherReceiver(status(500));
  await hook();
  await hook({ webhookId: 'failing', url: failing.url });
  await hook({ webhookId: 'parking', url: parking.url, retryPeriodSeconds: 0 });
  await tookAll();
  const [first] = await positions();
  await until('one fails', async () => (await shown('failing')).retrying !== undefined);
  await until('one is parked', async () => (await shown('parking')).parkedCount > 0n);
  await end();
  await start();
  await pay();
  await tookAll();
  expect(takenBy(receiver)).toEqual(await positions());
  expect((await shown('failing')).retrying?.position).toBe(first);
  for (const each of [failing, parking]) each.answer(status(200));
  await tookAll(failing);
  await tookAll(parking);
  await webhooks.retryWebhookDelivery({
    ledgerId,
    webhookId: 'parking',
    target: { case: 'all', value: true },
  });
  await until('nothing is parked', async () => (await shown('parking')).parkedCount === 0n);
  expect(takenBy(failing)).toEqual(await positions());
  expect(takenBy(parking).sort((a, b) => Number(a - b))).toEqual(await positions());
  await proveBooks(platform.grpcAddress, ledgerId);
});
