/** What callers may do: every method by every role over both doors, as docs/scopes.md says; and what lists show. */
import { createHash, randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { fromJson, type JsonObject } from '@bufbuild/protobuf';
import { createClient, type Interceptor } from '@connectrpc/connect';
import { createConnectTransport, createGrpcTransport, Http2SessionManager } from '@connectrpc/connect-node';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { LedgerCommandService } from '../../../gen/quittance/command/v1/ledger_command_service_pb.js';
import {
  StreamCommandsRequestSchema,
  TransactionCommandService,
} from '../../../gen/quittance/command/v1/transaction_command_service_pb.js';
import { AccountQueryService } from '../../../gen/quittance/query/v1/account_query_service_pb.js';
import { EventKind, EventQueryService } from '../../../gen/quittance/query/v1/event_query_service_pb.js';
import { LedgerQueryService } from '../../../gen/quittance/query/v1/ledger_query_service_pb.js';
import { ReportQueryService } from '../../../gen/quittance/query/v1/report_query_service_pb.js';
import { newApiKey } from '../../../lib/auth/api-key.js';
import { insertKey, prepareKeys } from '../../../lib/auth/postgres-keys.js';
import { METHOD_RULES } from '../../../lib/auth/method-rules.js';
import {
  PAGE_LEDGER,
  PAGE_WORDS,
  type PageAnswer,
  type PageCall,
  pageCalls,
  ROLES,
  scopesPage,
} from '../../../lib/auth/scopes-page.js';
import { createPool, type Pool } from '../../../lib/log/postgres-client.js';
import { startPlatform, type TestPlatform } from './platform.js';
import { type Outcome, type RawClient, rawClient, type Wire } from './raw-client.js';

const page = readFileSync(new URL('../../../docs/scopes.md', import.meta.url), 'utf8');
const CALLS = pageCalls();
const DOORS: readonly Wire[] = ['grpc', 'connect json'];
/** How long a watch that may be opened is watched. */
const WATCH_MS = 50;
const COMPLETE = { requirement: { case: 'fullyConsistent' as const, value: true } };

let platform: TestPlatform;
let raw: RawClient;
let pool: Pool;
const keys = new Map<string, string>();
const sessions: Http2SessionManager[] = [];

beforeAll(async () => {
  platform = await startPlatform({
    auth: { issuer: undefined },
    prepare: async (database) => {
      pool = createPool(database.config, { max: 1, name: 'test' });
      await prepareKeys(pool);
      for (const [role, scopes] of Object.entries({ ...ROLES, ...LISTERS })) {
        if (scopes === undefined) continue;
        const key = newApiKey();
        await insertKey(pool, key, { name: role, scopes, expires_at: null });
        keys.set(role, key.key);
      }
    },
  });
  raw = rawClient(platform.grpcAddress, platform.connectUrl);
  for (const ledgerId of LEDGERS) {
    const { createLedger } = createClient(LedgerCommandService, transportAs('founder').grpc);
    await createLedger({ ledgerId, requestId: randomUUID() });
  }
  await everyViewHasTheLedgers();
});

/** Most calls of the page ask for no consistency: a ledger that a view does not have yet is not found. */
async function everyViewHasTheLedgers(): Promise<void> {
  const reader = transportAs('all').grpc;
  const fresh = { ledgerId: PAGE_LEDGER, consistency: COMPLETE };
  const patient = { timeoutMs: 30_000 };
  await Promise.all([
    createClient(LedgerQueryService, reader).getLedger(fresh, patient),
    createClient(AccountQueryService, reader).batchGetBalances({ ...fresh, accountIds: ['nobody'] }, patient),
    createClient(ReportQueryService, reader).getTrialBalance(fresh, patient),
  ]);
}

afterAll(async () => {
  raw.close();
  for (const session of sessions) session.abort();
  await pool.end();
  await platform.stop();
});

const LEDGERS = ['shop', 'other', 'shop-eu', 'shop-us', 'sho', 'shop-eu-2', 'shopping'];
const LISTERS: Readonly<Record<string, readonly string[]>> = {
  founder: ['create:*'],
  all: ['read:*'],
  one: ['read:shop'],
  prefix: ['read:shop-*'],
  mixed: ['admin:shop-eu*', 'read:shop-*', 'write:other', 'read:shop-us', 'read:nowhere'],
  none: ['metrics'],
};

function authorizationOf(role: string): string | undefined {
  const key = keys.get(role);
  return key === undefined ? undefined : `Bearer ${key}`;
}

function transportAs(role: string) {
  const interceptors: Interceptor[] = [
    (next) => (request) => {
      request.header.set('authorization', authorizationOf(role) ?? '');
      return next(request);
    },
  ];
  const manager = (baseUrl: string) => {
    const session = new Http2SessionManager(baseUrl);
    sessions.push(session);
    return { baseUrl, interceptors, sessionManager: session };
  };
  return {
    grpc: createGrpcTransport(manager(`http://${platform.grpcAddress}`)),
    connect: createConnectTransport({ ...manager(platform.connectUrl), httpVersion: '2' }),
  };
}

/** The answers of the page, by call and role. */
function answersOnPage(): ReadonlyMap<string, readonly string[]> {
  const rows = page.split('\n').filter((line) => line.startsWith('| '));
  return new Map(
    rows.map((row) => {
      const [name = '', , ...answers] = row.slice(2, -2).split(' | ');
      return [name, answers];
    }),
  );
}

function wordFor({ reasons }: Outcome): string {
  const found = (Object.keys(PAGE_WORDS) as PageAnswer[]).find((each) =>
    reasons.includes(`quittance/${each}`),
  );
  return PAGE_WORDS[found ?? 'yes'];
}

/** Requests whose shape is right and which change nothing: what they name does not exist. */
const FIELDS: Readonly<Record<string, () => JsonObject>> = {
  RegisterAsset: () => ({ code: 'POINTS', exponent: 0, name: 'Points', validateOnly: true }),
  ClosePeriod: () => ({ closedThrough: '2999-01-01T00:00:00Z' }),
  ReopenPeriod: () => ({ reason: 'x' }),
  OpenAccount: () => ({ accountId: 'nobody', currency: 'EUR', validateOnly: true }),
  UpdateAccount: () => ({ accountId: 'nobody', name: 'x', updateMask: 'name' }),
  FreezeAccount: () => ({ accountId: 'nobody' }),
  UnfreezeAccount: () => ({ accountId: 'nobody' }),
  CloseAccount: () => ({ accountId: 'nobody' }),
  Deposit: () => ({ accountId: 'nobody', amount: EURO }),
  Withdraw: () => ({ accountId: 'nobody', amount: EURO }),
  SubmitPayment: () => ({ payerAccountId: 'nobody', payeeAccountId: 'none', amount: EURO }),
  AuthorizePayment: () => ({ payerAccountId: 'nobody', payeeAccountId: 'none', amount: EURO }),
  AdjustAuthorization: () => ({ paymentId: randomUUID(), amount: EURO }),
  CapturePayment: () => ({ paymentId: randomUUID(), amount: EURO }),
  VoidPayment: () => ({ paymentId: randomUUID() }),
  RefundPayment: () => ({ paymentId: randomUUID(), amount: EURO }),
  PostTransaction: () => ({ entries: ENTRIES }),
  ReverseTransaction: () => ({ transactionId: randomUUID() }),
  UpdateTransaction: () => ({ transactionId: randomUUID(), description: 'x', updateMask: 'description' }),
  CreateSchedule: () => ({
    payment: { payerAccountId: 'nobody', payeeAccountId: 'none', amount: EURO },
    at: '2999-01-01T00:00:00Z',
  }),
  GetSchedule: () => ({ scheduleId: 'nothing' }),
  PauseSchedule: () => ({ scheduleId: 'nothing' }),
  ResumeSchedule: () => ({ scheduleId: 'nothing' }),
  CancelSchedule: () => ({ scheduleId: 'nothing' }),
  ListScheduleRuns: () => ({ scheduleId: 'nothing' }),
  GetAccount: () => ({ accountId: 'nobody' }),
  GetBalance: () => ({ accountId: 'nobody' }),
  BatchGetBalances: () => ({ accountIds: ['nobody'] }),
  WatchBalances: () => ({ accountIds: ['nobody'] }),
  GetTransaction: () => ({ transactionId: randomUUID() }),
  GetStatement: () => ({ accountId: 'nobody' }),
  RankAccounts: () => ({ rankBy: 'RANK_BY_DEBITS', currency: 'EUR' }),
  SummarizeVolume: () => ({ buckets: DAYS }),
  SummarizeDeclines: () => ({ buckets: DAYS }),
  SummarizeCashFlow: () => ({ buckets: DAYS }),
  GetBalanceHistory: () => ({ accountId: 'nobody', buckets: DAYS }),
  GetProjection: () => ({ projectionId: 'nothing' }),
  PauseProjection: () => ({ projectionId: 'nothing' }),
  ResumeProjection: () => ({ projectionId: 'nothing' }),
  RebuildProjection: () => ({ projectionId: 'nothing' }),
  ListDeadLetters: () => ({ projectionId: 'nothing' }),
  CreateWebhook: () => ({ webhookId: 'hook', url: 'https://127.0.0.1/' }),
  GetWebhook: () => ({ webhookId: 'nothing' }),
  UpdateWebhook: () => ({ webhookId: 'nothing', description: 'x', updateMask: 'description' }),
  PauseWebhook: () => ({ webhookId: 'nothing' }),
  ResumeWebhook: () => ({ webhookId: 'nothing' }),
  DeleteWebhook: () => ({ webhookId: 'nothing' }),
  RotateWebhookSecret: () => ({ webhookId: 'nothing' }),
  ListWebhookDeliveries: () => ({ webhookId: 'nothing' }),
  RetryWebhookDelivery: () => ({ webhookId: 'nothing', all: true }),
  ReplayWebhook: () => ({ webhookId: 'nothing', startPosition: '0' }),
  RetryDeadLetter: () => ({ projectionId: 'nothing', all: true, validateOnly: true }),
};

const DAYS = {
  interval: 'INTERVAL_DAY',
  startTime: '2026-01-01T00:00:00Z',
  endTime: '2026-01-08T00:00:00Z',
};
const EURO = { currency: 'EUR', minorUnits: '1' };
const ENTRIES = [
  { accountId: 'nobody', direction: 'DIRECTION_DEBIT', amount: EURO },
  { accountId: 'none', direction: 'DIRECTION_CREDIT', amount: EURO },
];

function jsonOf({ method, special }: PageCall): JsonObject {
  const has = (name: string) => method.input.fields.some((field) => field.name === name);
  const ledger: JsonObject = has('ledger_id') ? { ledgerId: PAGE_LEDGER } : {};
  const request: JsonObject = has('request_id') ? { requestId: randomUUID() } : {};
  return { ...ledger, ...request, ...FIELDS[method.name]?.(), ...special };
}

test('docs/scopes.md is what the rules say', () => {
  expect(scopesPage()).toBe(page);
});

test('every method that a door serves has a rule, and no other', () => {
  const served = CALLS.map(({ method }) => `${method.parent.typeName}/${method.name}`);
  const ruled = Object.entries(METHOD_RULES).flatMap(([service, methods]) =>
    Object.keys(methods).map((method) => `${service}/${method}`),
  );
  expect(new Set(ruled)).toEqual(new Set(served));
});

describe('over both doors, as the page says, to every role', () => {
  const unary = CALLS.filter(({ method }) => method.methodKind !== 'bidi_streaming');

  test.each(unary.map((call) => [call.name, call] as const))('%s', async (name, call) => {
    const expected = answersOnPage().get(name) ?? [];
    const roles = Object.keys(ROLES);
    const isWatch = call.method.name.startsWith('Watch') || call.method.name === 'Watch';
    for (const wire of DOORS) {
      const answers = await Promise.all(
        roles.map(async (role, index) => {
          const authorization = authorizationOf(role);
          const isAllowed = expected[index] === PAGE_WORDS.yes;
          const limit = isWatch && isAllowed ? { timeout_ms: WATCH_MS } : {};
          return wordFor(await raw.json(wire, call.method, jsonOf(call), { authorization, ...limit }));
        }),
      );
      expect([wire, answers]).toEqual([wire, expected]);
    }
  });

  const streamed = CALLS.filter(({ method }) => method.methodKind === 'bidi_streaming');

  test.each(streamed.map((call) => [call.name, call] as const))('%s', async (name, call) => {
    const expected = answersOnPage().get(name) ?? [];
    for (const [index, role] of Object.keys(ROLES).entries()) {
      for (const door of ['grpc', 'connect'] as const) {
        expect([door, role, await streamedWord(door, role, call)]).toEqual([door, role, expected[index]]);
      }
    }
  });
});

/** What a stream answers to one command. */
async function streamedWord(door: 'grpc' | 'connect', role: string, { special }: PageCall): Promise<string> {
  const { command } = special as { command: Record<string, JsonObject> };
  const [kind = ''] = Object.keys(command);
  const name = kind.charAt(0).toUpperCase() + kind.slice(1);
  const fields = { ledgerId: PAGE_LEDGER, requestId: randomUUID(), ...FIELDS[name]?.() };
  const client = createClient(TransactionCommandService, transportAs(role)[door]);
  const requests = async function* () {
    yield await Promise.resolve(fromJson(StreamCommandsRequestSchema, { command: { [kind]: fields } }));
  };
  try {
    for await (const { result } of client.streamCommands(requests())) {
      if (result?.result.case !== 'error') return PAGE_WORDS.yes;
      const text = Buffer.concat(result.result.value.details.map(({ value: bytes }) => bytes)).toString(
        'latin1',
      );
      const found = (Object.keys(PAGE_WORDS) as PageAnswer[]).find((each) => text.includes(each));
      return PAGE_WORDS[found ?? 'yes'];
    }
    return 'no answer';
  } catch (error) {
    return String(error).includes('unauthenticated') ? PAGE_WORDS.UNAUTHENTICATED : String(error);
  }
}

describe('a ledger that the caller may not see', () => {
  test('is answered for like one that does not exist, in every byte', async () => {
    for (const wire of DOORS) {
      const ask = (role: string, ledgerId: string) =>
        raw.json(
          wire,
          LedgerQueryService.method.getLedger,
          { ledgerId },
          { authorization: authorizationOf(role) },
        );
      const hidden = await ask('one', 'other');
      const absent = await ask('all', 'nothing');
      const swap = (text: string) => text.replaceAll('nothing', 'other');
      expect(hidden.reasons).toEqual(['quittance/LEDGER_NOT_FOUND']);
      expect({ ...hidden, text: '' }).toEqual({ ...absent, message: swap(absent.message), text: '' });
    }
  });

  test('is not created, whether it exists or not, with the same words', async () => {
    const create = async (ledgerId: string) => {
      const request = { ledgerId, requestId: randomUUID() };
      const authorization = authorizationOf('creator');
      const { reasons, message } = await raw.json('grpc', LedgerCommandService.method.createLedger, request, {
        authorization,
      });
      return [reasons, message.replaceAll(ledgerId, 'X')];
    };
    const existing = await create('other');
    expect(existing).toEqual([['quittance/PERMISSION_DENIED'], expect.any(String)]);
    expect(await create('nothing')).toEqual(existing);
  });
});

describe('what a caller has done', () => {
  test('is listed by its actor, and an event has the bytes that its hash is of, on both doors', async () => {
    for (const door of ['grpc', 'connect'] as const) {
      const { getEvent, listEvents } = createClient(EventQueryService, transportAs('all')[door]);
      const listed = await listEvents({
        ledgerId: 'shop',
        kinds: [EventKind.LEDGER_CREATED],
        descending: true,
      });
      const [created] = listed.events;
      const actor = created?.event?.actor ?? '';
      expect([listed.events.length, actor]).toEqual([1, expect.stringContaining('founder')]);
      expect((await listEvents({ ledgerId: 'shop', actor })).events).toEqual(listed.events);
      expect((await listEvents({ ledgerId: 'shop', actor: `${actor}x` })).events).toEqual([]);
      const { event, storedEvent } = await getEvent({
        ledgerId: 'shop',
        position: created?.event?.position ?? -1n,
      });
      expect(event).toEqual(created);
      expect(Buffer.from(event?.hash ?? [])).toEqual(createHash('sha256').update(storedEvent).digest());
    }
  });
});

describe('ListLedgers shows', () => {
  async function listed(role: string, ledgerIdPrefix = '', pageSize = 2): Promise<string[]> {
    const { listLedgers } = createClient(LedgerQueryService, transportAs(role).grpc);
    const seen: string[] = [];
    let pageToken = '';
    do {
      const answer = await listLedgers({ consistency: COMPLETE, ledgerIdPrefix, pageSize, pageToken });
      seen.push(...answer.ledgers.map(({ ledgerId }) => ledgerId));
      pageToken = answer.nextPageToken;
    } while (pageToken !== '');
    return seen;
  }

  test.each([
    ['all', '', LEDGERS],
    ['one', '', ['shop']],
    ['one', 'shop-', []],
    ['prefix', '', ['shop-eu', 'shop-us', 'shop-eu-2']],
    ['prefix', 'shop-eu', ['shop-eu', 'shop-eu-2']],
    ['prefix', 'sho', ['shop-eu', 'shop-us', 'shop-eu-2']],
    ['mixed', '', ['other', 'shop-eu', 'shop-us', 'shop-eu-2']],
    ['mixed', 'o', ['other']],
    ['none', '', []],
  ])('to %s, asked for "%s"', async (role, prefix, expected) => {
    expect(await listed(role, prefix)).toEqual(expected);
    expect(await listed(role, prefix, 1)).toEqual(expected);
  });
});
