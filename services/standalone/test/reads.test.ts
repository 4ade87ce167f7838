/** What reads promise, while the books are written: fresh as asked, exact prefixes, and the past as it was. */
import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { MessageInitShape } from '@bufbuild/protobuf';
import { timestampDate } from '@bufbuild/protobuf/wkt';
import { TransactionCommandService } from '../../../gen/quittance/command/v1/transaction_command_service_pb.js';
import { Direction } from '../../../gen/quittance/common/v1/transaction_pb.js';
import type { Event } from '../../../gen/quittance/event/v1/event_pb.js';
import {
  ProjectionService,
  ProjectionState,
  RebuildPhase,
} from '../../../gen/quittance/ops/v1/projection_service_pb.js';
import { AccountQueryService } from '../../../gen/quittance/query/v1/account_query_service_pb.js';
import { EventQueryService } from '../../../gen/quittance/query/v1/event_query_service_pb.js';
import {
  ReportQueryService,
  TrialBalanceGrouping,
} from '../../../gen/quittance/query/v1/report_query_service_pb.js';
import {
  type EntryRecord,
  TransactionQueryService,
} from '../../../gen/quittance/query/v1/transaction_query_service_pb.js';
import { timestampOf } from '../../../lib/base/time.js';
import type { GrpcClient } from '../../../tools/client/grpc-client.js';
import {
  depositTo,
  endingOf,
  openBooks,
  patientClient,
  paymentOf,
  proveBooks,
  until,
  untilEveryViewHas,
  vainEndingOf,
} from '../../../test/load.js';
import { startPlatform, type TestPlatform } from './platform.js';

const { deposit, submitPayment } = TransactionCommandService.method;
const { getBalance, batchGetBalances } = AccountQueryService.method;
const { getTrialBalance } = ReportQueryService.method;
const { listTransactions, listEntries } = TransactionQueryService.method;
const projections = ProjectionService.method;
const LEDGER = 'reads';
const FRESH = { consistency: { requirement: { case: 'fullyConsistent' as const, value: true } } };
const ACCOUNTS = 8;

let platform: TestPlatform;
let client: GrpcClient;
let accounts: string[];

beforeAll(async () => {
  platform = await startPlatform();
  client = patientClient(platform.grpcAddress);
  accounts = await openBooks(client, LEDGER, ACCOUNTS);
  await untilEveryViewHas(client, LEDGER);
});

afterAll(async () => {
  client.close();
  await platform.stop();
});

const asFreshAs = (token: string) => ({ requirement: { case: 'atLeastAsFresh' as const, value: token } });
const accountOf = (index: number): string => accounts[index % accounts.length] ?? 'a0';

/** Payments by eight callers until it is ended; rejects if any fails. */
function load(): { end(): Promise<void> } {
  let isOver = false;
  const callers = Array.from({ length: 8 }, async (_, index) => {
    while (!isOver) {
      const effectiveTime = index === 0 ? { effectiveTime: timestampOf(1_500_000_000_000_000n) } : {};
      const payment = { ...paymentOf(LEDGER, accountOf(index), accountOf(index + 1)), ...effectiveTime };
      await client.unary(submitPayment, payment);
    }
  });
  const all = Promise.all(callers);
  all.catch(() => undefined);
  return {
    end: async () => {
      isOver = true;
      await all;
    },
  };
}

interface Logged extends Event {
  /** Whether its command dated it in the past. */
  readonly isDated: boolean;
}

async function eventsOf(): Promise<Logged[]> {
  const found: Logged[] = [];
  for (let pageToken = ''; ;) {
    const page = await client.unary(EventQueryService.method.listEvents, {
      ledgerId: LEDGER,
      pageSize: 1_000,
      pageToken,
    });
    found.push(
      ...page.events.flatMap(({ event, command }) => {
        const { case: kind, value } = command?.command ?? {};
        const isDated = kind === 'submitPayment' && value?.effectiveTime !== undefined;
        return event === undefined ? [] : { ...event, isDated };
      }),
    );
    pageToken = page.nextPageToken;
    if (pageToken === '') return found;
  }
}

/** What an event does to each account's balance, by its entries alone. */
function changesOf({ payload }: Event): [accountId: string, change: bigint][] {
  if (payload.case === 'accountOpened') return [[payload.value.account?.accountId ?? '', 0n]];
  if (payload.case !== 'transactionPosted') return [];
  const { accounts: states, entries } = payload.value;
  return entries.map(({ account, direction, amount }) => [
    states[account]?.accountId ?? '',
    direction === Direction.CREDIT ? amount : -amount,
  ]);
}

/** The simplest fold there is: what the entries sum to, by account. */
function postedAt(events: readonly Logged[], isIn: (event: Logged) => boolean): Map<string, bigint> {
  const posted = new Map<string, bigint>();
  for (const [accountId, change] of events.filter(isIn).flatMap(changesOf)) {
    posted.set(accountId, (posted.get(accountId) ?? 0n) + change);
  }
  return posted;
}

describe.each(['grpc', 'connect'] as const)('over %s', (door) => {
  test('whoever brings the token of a command reads it in every view, at once', async () => {
    const write = platform[door](TransactionCommandService);
    const balances = platform[door](AccountQueryService);
    const history = platform[door](TransactionQueryService);
    const reports = platform[door](ReportQueryService);
    const callers = Array.from({ length: 4 }, async (_, caller) => {
      const accountId = accountOf(caller);
      for (let round = 0; round < 25; round += 1) {
        const requestId = randomUUID();
        const {
          accounts: states,
          consistencyToken,
          position,
        } = await write.deposit(depositTo(LEDGER, accountId, requestId));
        const posted = states.find((account) => account.accountId === accountId)?.balance?.posted;
        const consistency = asFreshAs(consistencyToken);
        const [balance, listed, trial] = await Promise.all([
          balances.getBalance({ ledgerId: LEDGER, accountId, consistency }),
          history.listTransactions({
            ledgerId: LEDGER,
            accountId,
            descending: true,
            pageSize: 1,
            consistency,
          }),
          reports.getTrialBalance({ ledgerId: LEDGER, consistency }),
        ]);
        expect(balance.balance?.posted).toBe(posted);
        expect(listed.transactions[0]?.transactionId).toBe(requestId);
        for (const { asOf } of [balance, listed, trial]) {
          expect(asOf?.position).toBeGreaterThanOrEqual(position);
        }
      }
    });
    await Promise.all(callers);
  });

  test('a fully consistent read has all that was committed when it arrived', async () => {
    const balances = platform[door](AccountQueryService);
    const history = platform[door](TransactionQueryService);
    for (let round = 0; round < 25; round += 1) {
      const requestId = randomUUID();
      const { position } = await client.unary(deposit, depositTo(LEDGER, 'a1', requestId));
      const [balance, found] = await Promise.all([
        balances.getBalance({ ledgerId: LEDGER, accountId: 'a1', ...FRESH }),
        history.getTransaction({ ledgerId: LEDGER, transactionId: requestId, ...FRESH }),
      ]);
      expect(balance.balance?.position).toBe(position);
      expect(found.transaction?.transactionId).toBe(requestId);
    }
  });
});

describe('while the books are written', () => {
  let writing: ReturnType<typeof load>;

  beforeEach(() => {
    writing = load();
  });

  afterEach(() => writing.end());

  test('a trial balance sums to zero, and equals a fold of the log at its position', async () => {
    const seen = [];
    for (let round = 0; round < 25; round += 1) {
      seen.push(
        await client.unary(getTrialBalance, {
          ledgerId: LEDGER,
          groupBy: TrialBalanceGrouping.ACCOUNT,
          pageSize: 1_000,
        }),
      );
    }
    const events = await eventsOf();
    for (const { rows, totals, asOf } of seen) {
      for (const { debits, credits } of totals) expect(debits).toBe(credits);
      expect(rows.reduce((sum, { credits, debits }) => sum + BigInt(credits) - BigInt(debits), 0n)).toBe(0n);
      const posted = postedAt(events, ({ position }) => position <= (asOf?.position ?? 0n));
      const read = new Map(rows.map(({ key, credits, debits }) => [key, BigInt(credits) - BigInt(debits)]));
      for (const [accountId, sum] of posted)
        expect([accountId, read.get(accountId) ?? 0n]).toEqual([accountId, sum]);
    }
  });

  test('balances read together are of one position', async () => {
    for (let round = 0; round < 50; round += 1) {
      const accountIds = [...accounts, '@settlement:EUR'];
      const { balances } = await client.unary(batchGetBalances, { ledgerId: LEDGER, accountIds });
      expect(balances.reduce((sum, { posted }) => sum + posted, 0n)).toBe(0n);
    }
  });

  test('the pages of a list are as of its first page', async () => {
    const entries: EntryRecord[] = [];
    let asOf = 0n;
    for (let pageToken = ''; ;) {
      const page = await client.unary(listEntries, { ledgerId: LEDGER, pageSize: 100, pageToken });
      if (pageToken === '') asOf = page.asOf?.position ?? 0n;
      expect(page.asOf?.position).toBe(asOf);
      entries.push(...page.entries);
      pageToken = page.nextPageToken;
      if (pageToken === '') break;
    }
    const expected = (await eventsOf()).flatMap(({ payload, position }) =>
      payload.case === 'transactionPosted' && position <= asOf
        ? payload.value.entries.map((_, index) => `${String(position)}/${String(index)}`)
        : [],
    );
    expect(entries.map(({ position, entry }) => `${String(position)}/${String(entry?.index)}`)).toEqual(
      expected,
    );
  });

  test('the pages of a list from the latest on show nothing twice and leave nothing out', async () => {
    const positions: bigint[] = [];
    for (let pageToken = ''; ;) {
      const page = await client.unary(listTransactions, {
        ledgerId: LEDGER,
        descending: true,
        pageSize: 500,
        pageToken,
      });
      positions.push(...page.transactions.map(({ position }) => position));
      pageToken = page.nextPageToken;
      if (pageToken === '') break;
    }
    const expected = (await eventsOf())
      .filter(
        ({ payload, position }) => payload.case === 'transactionPosted' && position <= (positions[0] ?? 0n),
      )
      .map(({ position }) => position);
    expect(positions.reverse()).toEqual(expected);
  });

  test('past balances are what a fold of the log says, by position, by recorded and by effective time', async () => {
    await until('there is some past', async () => (await eventsOf()).length > 300);
    const events = await eventsOf();
    const { totals: _, ...head } = await client.unary(getTrialBalance, { ledgerId: LEDGER, ...FRESH });
    expect(head.asOf?.position).toBeGreaterThan(0n);
    const step = Math.floor(events.length / 12);
    for (let index = 0; index < events.length; index += step) {
      const event = events[index];
      if (event === undefined) break;
      const accountId = index % 3 === 0 ? '@settlement:EUR' : accountOf(index);
      const asked = { ledgerId: LEDGER, accountId, ...FRESH };
      const { position, recordedTimeMicros: time } = event;
      const byPosition = postedAt(events, (each) => each.position <= position).get(accountId);
      const before = postedAt(events, (each) => each.recordedTimeMicros <= time - 1n).get(accountId);
      expect(await postedOf({ ...asked, at: { case: 'position', value: position } })).toBe(byPosition);
      const at = { case: 'recordedTime' as const, value: timestampOf(time) };
      expect(await postedOf({ ...asked, at })).toBe(byPosition);
      expect(await postedOf({ ...asked, at: { ...at, value: timestampOf(time - 1n) } })).toBe(before);
    }
    const dated = timestampOf(1_500_000_000_000_000n);
    await writing.end();
    const past = postedAt(await eventsOf(), ({ isDated }) => isDated);
    expect(past.size).toBe(2);
    for (const accountId of accounts) {
      const at = { case: 'effectiveTime' as const, value: dated };
      // Before its first dated entry the balance of an account is 0.
      expect(await postedOf({ ledgerId: LEDGER, accountId, at, ...FRESH })).toBe(past.get(accountId) ?? 0n);
    }
  });

  test.each(['balances', 'history', 'reports'])(
    '%s is rebuilt without a difference, and no read fails',
    async (projectionId) => {
      let isOver = false;
      const reads = [
        () => client.unary(getBalance, { ledgerId: LEDGER, accountId: 'a0', ...FRESH }),
        () => client.unary(listTransactions, { ledgerId: LEDGER, pageSize: 10, descending: true, ...FRESH }),
        () => client.unary(getTrialBalance, { ledgerId: LEDGER, ...FRESH }),
      ];
      const endings = reads.map(async (read) => {
        const seen = new Set<string>();
        let position = 0n;
        while (!isOver) {
          const answer = read();
          seen.add(await endingOf(answer));
          const asOf = (await answer.catch(() => undefined))?.asOf?.position ?? position;
          if (asOf < position) seen.add('went back');
          position = asOf;
        }
        return [...seen];
      });
      const rebuildOf = async () =>
        (await client.unary(projections.getProjection, { projectionId })).projection?.rebuild;
      const hasEnded = async () => ((await rebuildOf())?.phase ?? 0) >= RebuildPhase.DONE;
      try {
        await client.unary(projections.rebuildProjection, { projectionId });
        const again = client.unary(projections.rebuildProjection, { projectionId });
        expect(await endingOf(again)).toBe('PROJECTION_STATE');
        await until('the rebuild ended', hasEnded);
      } finally {
        isOver = true;
      }
      expect(await rebuildOf()).toMatchObject({ phase: RebuildPhase.DONE, differentRows: 0n, failure: '' });
      expect(await Promise.all(endings)).toEqual([['OK'], ['OK'], ['OK']]);
    },
  );
});

async function postedOf(request: MessageInitShape<typeof getBalance.input>): Promise<bigint | undefined> {
  const answer = client.unary(getBalance, request);
  if ((await endingOf(answer)) === 'ACCOUNT_NOT_FOUND') return undefined;
  return (await answer).balance?.posted;
}

/** How fresh a read must be. */
type Need = typeof FRESH | { readonly consistency: ReturnType<typeof asFreshAs> };

test('a view that is paused gets older and says so; who needs more is told; resumed, it catches up', async () => {
  const ofBalances = { ledgerId: LEDGER, accountId: 'a0' };
  const ofHistory = { ledgerId: LEDGER, pageSize: 1 };
  const ofReports = { ledgerId: LEDGER };
  const { connectUrl } = platform;
  for (const [projectionId, read, endingWith] of [
    [
      'balances',
      (need?: Need) => client.unary(getBalance, { ...ofBalances, ...need }),
      (need: Need) => vainEndingOf(connectUrl, getBalance, { ...ofBalances, ...need }),
    ],
    [
      'history',
      (need?: Need) => client.unary(listTransactions, { ...ofHistory, ...need }),
      (need: Need) => vainEndingOf(connectUrl, listTransactions, { ...ofHistory, ...need }),
    ],
    [
      'reports',
      (need?: Need) => client.unary(getTrialBalance, { ...ofReports, ...need }),
      (need: Need) => vainEndingOf(connectUrl, getTrialBalance, { ...ofReports, ...need }),
    ],
  ] as const) {
    const lag = async () =>
      (await client.unary(projections.getProjection, { projectionId })).projection?.lagEvents;
    // Where there are several partitions, its position is that of the one that is least far.
    await until('every partition has all', async () => (await lag()) === 0n);
    await client.unary(projections.pauseProjection, { projectionId });
    const before = await read();
    const { position, consistencyToken } = await client.unary(deposit, depositTo(LEDGER, 'a0', randomUUID()));
    const old = await read();
    expect(old.asOf?.position).toBe(before.asOf?.position);
    expect(old.asOf?.time && timestampDate(old.asOf.time).getTime()).toBeLessThanOrEqual(Date.now());
    expect(await endingWith(FRESH)).toBe('READ_MODEL_BEHIND');
    expect(await endingWith({ consistency: asFreshAs(consistencyToken) })).toBe('READ_MODEL_BEHIND');
    const { projection } = await client.unary(projections.getProjection, { projectionId });
    expect(projection).toMatchObject({ state: ProjectionState.PAUSED, position: before.asOf?.position });
    expect(projection?.lagEvents).toBe((projection?.headPosition ?? 0n) - (projection?.position ?? 0n));
    expect(projection?.lagEvents).toBeGreaterThan(0n);
    await client.unary(projections.resumeProjection, { projectionId });
    const fresh = await read({ consistency: asFreshAs(consistencyToken) });
    expect(fresh.asOf?.position).toBeGreaterThanOrEqual(position);
  }
});

test('after all this the books are proved', async () => {
  await proveBooks(platform.grpcAddress, LEDGER);
});
