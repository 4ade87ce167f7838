/** Tokens, keys, ids, messages and requests that others keep or check: they are written as they were, and read as they were. */
import { create, type JsonValue } from '@bufbuild/protobuf';
import { expect, test } from '@jest/globals';
import {
  CreateScheduleRequestSchema,
  OnDecline,
  OnMissed,
} from '../../gen/quittance/command/v1/schedule_service_pb.js';
import { FeePayer } from '../../gen/quittance/common/v1/transaction_pb.js';
import { ListAccountsRequestSchema } from '../../gen/quittance/query/v1/account_query_service_pb.js';
import { WatchEventsRequestSchema } from '../../gen/quittance/query/v1/event_query_service_pb.js';
import {
  ListTransactionsRequestSchema,
  WatchTransactionsRequestSchema,
} from '../../gen/quittance/query/v1/transaction_query_service_pb.js';
import { apiKeyParts } from '../../lib/auth/api-key.js';
import { canonicalBody } from '../../lib/log/canonical-body.js';
import { fromKafkaMessage, toKafkaMessage } from '../../lib/log/cloud-event.js';
import { partitioner } from '../../lib/log/partition.js';
import { pointOf, type RecordedEvent } from '../../lib/log/recorded-event.js';
import { decodeRecord } from '../../lib/log/shared-records.js';
import {
  decodeConsistencyToken,
  decodePageToken,
  decodeResumeToken,
  encodeConsistencyToken,
  encodePageToken,
  encodeResumeToken,
  queryFingerprint,
  type TokenPoint,
} from '../../lib/rpc/tokens.js';
import { periodClosed } from '../../services/command/application/encode-period.js';
import { canonicalSchedule } from '../../services/command/schedules/canonical-schedule.js';
import { scheduledPayment } from '../../services/command/schedules/scheduled-payment.js';
import { postOf } from '../../services/webhooks/request.js';
import { movementRequestId } from '../../tools/import/commands.js';
import { withIds } from '../../tools/import/ids.js';
import type { FileRecord } from '../../tools/import/movement.js';
import { goldenForms, goldenLives } from './golden.js';

const hexOf = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');
const LOG_ID = new Uint8Array(16).fill(7);
const POINT: TokenPoint = {
  logId: LOG_ID,
  shard: 3,
  epoch: 2,
  position: 9_007_199_254_740_993n,
  hash: Uint8Array.from({ length: 32 }, (_, index) => index),
};

const fingerprints = {
  events: queryFingerprint(
    WatchEventsRequestSchema,
    create(WatchEventsRequestSchema, { ledgerId: 'golden' }),
  ),
  transactions: queryFingerprint(
    WatchTransactionsRequestSchema,
    create(WatchTransactionsRequestSchema, { ledgerId: 'golden', accountId: 'alice' }),
  ),
  accounts: queryFingerprint(
    ListAccountsRequestSchema,
    create(ListAccountsRequestSchema, { ledgerId: 'golden', accountIdPrefix: 'a', minPosted: 0n }),
  ),
  payments: queryFingerprint(
    ListTransactionsRequestSchema,
    create(ListTransactionsRequestSchema, { ledgerId: 'golden', metadata: [{ key: 'k', value: 'v' }] }),
  ),
};

/** An event of the golden lives. */
function eventAt(index: number): RecordedEvent {
  const found = goldenLives()['every command']?.[index];
  if (found === undefined) throw new Error('the life has such an event');
  return decodeRecord(BigInt(index), Buffer.from(found.bytes, 'hex'));
}

const message = (index: number, isWatermark: boolean) => {
  const record = eventAt(index);
  const outgoing = { partition: 5, after: 2n, watermark: pointOf(record) };
  return toKafkaMessage({ ...outgoing, record: isWatermark ? undefined : record }, 0);
};

const movement: FileRecord = {
  kind: 'movement',
  movement: {
    line: 2,
    movementId: '',
    identity: ['Jane Doe', 'rent'],
    reference: '',
    accountId: 'giro',
    currency: 'EUR',
    bookedOn: 1_767_225_600_000_000n,
    kind: 'transfer',
    purpose: 'rent',
    amount: -70_000n,
    balanceBefore: undefined,
    balanceAfter: undefined,
    counterparty: 'Jane Doe',
    description: 'rent',
  },
};

const euro = (minorUnits: bigint) => ({ currency: 'EUR', minorUnits });
const SCHEDULE = create(CreateScheduleRequestSchema, {
  ledgerId: 'golden',
  requestId: '01980000-0000-7000-8000-000000000001',
  scheduleId: 'rent',
  payment: {
    payerAccountId: 'alice',
    payeeAccountId: 'landlord',
    amount: euro(80_000n),
    upTo: true,
    fees: [{ paidBy: FeePayer.PAYER, toAccountId: 'fees', amount: euro(50n) }],
    reference: 'contract 7',
    description: 'rent',
    metadata: { b: '2', a: '1' },
  },
  timing: {
    case: 'recurrence',
    value: {
      rule: 'FREQ=MONTHLY;COUNT=12',
      timeZone: 'Europe/Berlin',
      startTime: { seconds: 1_800_000_000n },
    },
  },
  onDecline: OnDecline.RETRY,
  retryIntervalSeconds: 3_600,
  retryPeriodSeconds: 86_400,
  onMissed: OnMissed.MAKE_LAST,
  lateAfterSeconds: 600,
});

async function* twice(): AsyncGenerator<FileRecord> {
  await Promise.resolve();
  yield movement;
  yield movement;
}

/** The ids that two equal movements without ids get. */
async function idsOfTwo(): Promise<readonly string[]> {
  const ids: string[] = [];
  for await (const record of withIds(twice()))
    if (record.kind === 'movement') ids.push(record.movement.movementId);
  return ids;
}

const movementIds = [...(await idsOfTwo())];
const API_KEY = 'qtk_0123456789ab_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8';

/** How each form is written today. */
const FORMS: Readonly<Record<string, () => JsonValue>> = {
  'consistency token': () => encodeConsistencyToken(POINT),
  'resume token of events': () =>
    encodeResumeToken({ ...POINT, watch: 'events', sent: 1, fingerprint: fingerprints.events }),
  'resume token of transactions': () =>
    encodeResumeToken({ ...POINT, watch: 'transactions', sent: 0, fingerprint: fingerprints.transactions }),
  'page token of accounts': () =>
    encodePageToken({
      ...POINT,
      recordedTime: 1_767_225_600_000_000n,
      fingerprint: fingerprints.accounts,
      cursor: [42n],
    }),
  'page token of transactions': () =>
    encodePageToken({
      ...POINT,
      recordedTime: 1_767_225_600_000_000n,
      fingerprint: fingerprints.payments,
      cursor: [42n, 'text'],
    }),
  'message of an event': () => bodyAndHeaders(message(3, false)),
  'message of a watermark': () => bodyAndHeaders(message(3, true)),
  'request to a webhook': webhookRequest,
  'key of an API key': () => {
    const { id, secretHash } = apiKeyParts(API_KEY) ?? { id: '', secretHash: new Uint8Array(0) };
    return { key: API_KEY, id, secretHash: hexOf(secretHash) };
  },
  'partitions of ledgers': () =>
    Object.fromEntries(['golden', 'shop', 'a'].map((ledgerId) => [ledgerId, partitioner(12)(ledgerId)])),
  'hash of a trial balance': () =>
    hexOf(
      periodClosed({
        type: 'PeriodClosed',
        ledgerId: 'golden',
        closedThrough: 0n,
        totals: [
          { currency: 'BTC#8', type: 'LIABILITY', debits: 1n, credits: 18_446_744_073_709_551_616n },
          { currency: 'EUR', type: 'ASSET', debits: 900n, credits: 0n },
        ],
        description: '',
      }).totalsHash,
    ),
  'request ids of an import': () =>
    [1, 2].map((attempt) => movementRequestId('golden', 'movement-1', attempt)),
  'ids of movements without ids': () => movementIds,
  'row of a schedule': () => hexOf(canonicalSchedule(SCHEDULE)),
  'payments of a schedule': () =>
    [1, 2].map((attempt) => {
      const value = scheduledPayment(SCHEDULE, 1_800_000_000_000_000n, attempt);
      return { requestId: value.requestId, body: hexOf(canonicalBody({ case: 'submitPayment', value })) };
    }),
};

function bodyAndHeaders({ key, value, headers }: ReturnType<typeof toKafkaMessage>): JsonValue {
  return { key: key.toString(), value: hexOf(value), headers: { ...headers } };
}

/** Without its signature, which is of the whole body: a body may say more than it said. */
function webhookRequest(): JsonValue {
  const { body, headers } = postOf(
    eventAt(3),
    { url: 'https://receiver.test/', secrets: [] },
    { shard: 0, now: 1_767_225_600_000_000n, userAgent: 'quittance' },
  );
  return { body: JSON.parse(body) as JsonValue, headers: { ...headers } };
}

const golden = goldenForms(FORMS);
const textOf = (name: string): string => {
  const found = golden[name];
  return typeof found === 'string' ? found : '';
};
const plain = ({ logId, hash, ...point }: TokenPoint) => ({
  ...point,
  logId: hexOf(logId),
  hash: hexOf(hash),
});

test.each(Object.entries(FORMS))('the %s is written as it was', (name, write) => {
  // What is JSON may say more than it said.
  expect({ written: write() }).toMatchObject({ written: golden[name] });
});

test('tokens that clients keep say where they go on', () => {
  const point = { ...plain(POINT), hash: hexOf(POINT.hash.subarray(0, 8)) };
  expect(plain(decodeConsistencyToken(textOf('consistency token')))).toEqual(point);
  const events = decodeResumeToken(textOf('resume token of events'), 'events', fingerprints.events);
  expect(plain(events)).toMatchObject({ ...point, sent: 1 });
  const transactions = textOf('resume token of transactions');
  expect(plain(decodeResumeToken(transactions, 'transactions', fingerprints.transactions))).toMatchObject({
    ...point,
    sent: 0,
  });
  const page = decodePageToken(textOf('page token of accounts'), fingerprints.accounts, ['bigint']);
  expect([plain(page), page.cursor]).toMatchObject([point, [42n]]);
});

test('messages of the topic are read as the events that they were', () => {
  const { value, headers } = golden['message of an event'] as {
    readonly value: string;
    readonly headers: Readonly<Record<string, string>>;
  };
  const read = fromKafkaMessage(Buffer.from(value, 'hex'), (name) => headers[name]);
  expect({ ...read, record: hexOf(read.record?.bytes ?? new Uint8Array(0)) }).toEqual({
    record: value,
    after: 2n,
    watermark: pointOf(eventAt(3)),
  });
});
