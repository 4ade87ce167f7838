/** Lists, pages, and tokens of all kinds. No input crashes the platform: each is answered with one documented error, and changes nothing. */
import { Buffer } from 'node:buffer';
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type DescMethod, type JsonObject, toBinary, create, fromJson } from '@bufbuild/protobuf';
import { AccountCommandService } from '../../../gen/quittance/command/v1/account_command_service_pb.js';
import { TransactionCommandService } from '../../../gen/quittance/command/v1/transaction_command_service_pb.js';
import { AccountQueryService } from '../../../gen/quittance/query/v1/account_query_service_pb.js';
import { EventQueryService } from '../../../gen/quittance/query/v1/event_query_service_pb.js';
import { LedgerQueryService } from '../../../gen/quittance/query/v1/ledger_query_service_pb.js';
import { ReportQueryService } from '../../../gen/quittance/query/v1/report_query_service_pb.js';
import { TransactionQueryService } from '../../../gen/quittance/query/v1/transaction_query_service_pb.js';
import {
  decodeConsistencyToken,
  encodeConsistencyToken,
  encodePageToken,
  encodeResumeToken,
  queryFingerprint,
} from '../../../lib/rpc/tokens.js';
import { WIRES } from './raw-client.js';
import { LEDGER, JSON_ONLY, BINARY, aDeposit, anAccount } from './bad-input-requests.js';
import { badInput, expectError, openAccounts, provesTheBooks } from './bad-input.js';
import { startPlatform, type TestPlatform } from './platform.js';

const { openAccount, updateAccount, freezeAccount } = AccountCommandService.method;
const { deposit } = TransactionCommandService.method;
const { getBalance, batchGetBalances, listAccounts, watchBalances } = AccountQueryService.method;
const { listTransactions, listEntries, watchTransactions, getStatement } = TransactionQueryService.method;
const { getEvent, listEvents, watchEvents } = EventQueryService.method;
const reports = ReportQueryService.method;
const target = badInput();
const { refused, accepted } = target;

describe('lists', () => {
  test('duplicates, none, and too many', async () => {
    for (const method of [batchGetBalances, watchBalances]) {
      await refused(method, { ledgerId: LEDGER, accountIds: ['alice', 'alice'] }, 'INVALID_FIELD');
      await refused(method, { ledgerId: LEDGER, accountIds: [] }, 'INVALID_FIELD');
      const many = Array.from({ length: 1_001 }, (_, index) => `a${String(index)}`);
      await refused(method, { ledgerId: LEDGER, accountIds: many }, 'INVALID_FIELD');
    }
    await refused(watchBalances, { ledgerId: LEDGER, accountIds: ['alice', 'nobody'] }, 'ACCOUNT_NOT_FOUND');
    const unknown = Array.from({ length: 1_000 }, (_, index) => `a${String(index)}`);
    await accepted(batchGetBalances, { ledgerId: LEDGER, accountIds: unknown });
  });

  test('page sizes', async () => {
    for (const pageSize of [-1, 1_001, 2_147_483_647, -2_147_483_648]) {
      await refused(listTransactions, { ledgerId: LEDGER, pageSize }, 'INVALID_FIELD');
      await refused(listEntries, { ledgerId: LEDGER, pageSize }, 'INVALID_FIELD');
      await refused(listAccounts, { ledgerId: LEDGER, pageSize }, 'INVALID_FIELD');
      await refused(listEvents, { ledgerId: LEDGER, pageSize }, 'INVALID_FIELD');
      await refused(LedgerQueryService.method.listLedgers, { pageSize }, 'INVALID_FIELD');
      await refused(reports.getTrialBalance, { ledgerId: LEDGER, pageSize }, 'INVALID_FIELD');
      await refused(getStatement, { ledgerId: LEDGER, accountId: 'alice', pageSize }, 'INVALID_FIELD');
      await refused(
        reports.rankAccounts,
        { ledgerId: LEDGER, currency: 'EUR', rankBy: 'RANK_BY_COUNT', limit: pageSize },
        'INVALID_FIELD',
      );
    }
  });

  test('enums and fields that are not there', async () => {
    await refused(listTransactions, { ledgerId: LEDGER, kinds: [99] }, 'INVALID_FIELD');
    await refused(openAccount, anAccount({ type: 99 }), 'INVALID_FIELD');
    await refused(openAccount, anAccount({ type: -1 }), 'INVALID_FIELD');
    await refused(openAccount, anAccount({ type: 'ACCOUNT_TYPE_GOLD' }), 'INVALID_FIELD', JSON_ONLY);
    await refused(freezeAccount, { ...anAccount(), currency: 'EUR' }, 'UNKNOWN_FIELD', JSON_ONLY);
    const about = { ledgerId: LEDGER, requestId: randomUUID(), accountId: 'alice' };
    await refused(updateAccount, { ...about, updateMask: '' }, 'INVALID_FIELD');
    await refused(updateAccount, { ...about, updateMask: 'currency' }, 'INVALID_FIELD');
    await refused(updateAccount, { ...about, updateMask: 'name.first' }, 'INVALID_FIELD');
    await refused(updateAccount, { ...about, updateMask: 'name', ownerReference: 'x' }, 'INVALID_FIELD');
    await refused(updateAccount, about, 'INVALID_FIELD');
    const star = create(updateAccount.input, { ...about, updateMask: { paths: ['*'] } });
    for (const wire of BINARY) {
      expectError(
        await target.raw.bytes(wire, updateAccount, toBinary(updateAccount.input, star)),
        'INVALID_FIELD',
        wire,
      );
    }
    for (const expectedVersion of ['0', '-1']) {
      await refused(deposit, aDeposit({ expectedVersion }), 'INVALID_FIELD');
    }
    await refused(deposit, aDeposit({ expectedVersion: '9223372036854775807' }), 'VERSION_MISMATCH');
  });
});

/** The first message of a watch. connect-node goes on with a call whose reader only breaks out of the loop. */
async function firstOf<T>(watch: (signal: AbortSignal) => AsyncIterable<T>): Promise<T> {
  const leave = new AbortController();
  try {
    for await (const message of watch(leave.signal)) return message;
    throw new Error('the watch ended without a message');
  } finally {
    leave.abort();
  }
}

describe('tokens', () => {
  /** With the same ledger: its tokens are foreign. */
  let other: TestPlatform;

  beforeAll(async () => {
    other = await startPlatform();
    await openAccounts(other);
  });
  afterAll(() => other.stop());

  const lists: [DescMethod, JsonObject][] = [
    [listTransactions, { ledgerId: LEDGER }],
    [listEntries, { ledgerId: LEDGER }],
    [listAccounts, { ledgerId: LEDGER }],
    [listEvents, { ledgerId: LEDGER }],
    [LedgerQueryService.method.listLedgers, {}],
    [getStatement, { ledgerId: LEDGER, accountId: 'alice' }],
    [reports.getTrialBalance, { ledgerId: LEDGER, groupBy: 'TRIAL_BALANCE_GROUPING_ACCOUNT' }],
  ];

  const damaged = () => [
    'x',
    '=',
    '🙂',
    'AAAA',
    '\0',
    'x'.repeat(4096),
    `${target.consistencyToken}=`,
    target.consistencyToken.slice(0, -1),
    target.consistencyToken.replace(
      /^(.{20})./,
      (_, start: string) => `${start}${target.consistencyToken[20] === 'A' ? 'B' : 'A'}`,
    ),
  ];

  test('page tokens that are damaged, of another query, of another method', async () => {
    for (const [method, json] of lists) {
      for (const pageToken of [...damaged(), target.consistencyToken]) {
        await refused(method, { ...json, pageToken }, 'INVALID_PAGE_TOKEN');
      }
      await refused(method, { ...json, pageToken: 'x'.repeat(4097) }, 'INVALID_FIELD');
    }
    const client = target.platform.connect(TransactionQueryService);
    const { nextPageToken } = await client.listEntries({ ledgerId: LEDGER, pageSize: 1 });
    expect(nextPageToken).not.toBe('');
    await refused(
      listEntries,
      { ledgerId: LEDGER, accountId: 'alice', pageToken: nextPageToken },
      'INVALID_PAGE_TOKEN',
    );
    await refused(
      listEntries,
      { ledgerId: LEDGER, descending: true, pageToken: nextPageToken },
      'INVALID_PAGE_TOKEN',
    );
    await refused(listTransactions, { ledgerId: LEDGER, pageToken: nextPageToken }, 'INVALID_PAGE_TOKEN');
    await refused(watchEvents, { ledgerId: LEDGER, resumeToken: nextPageToken }, 'INVALID_RESUME_TOKEN');
    await refused(
      getBalance,
      { ledgerId: LEDGER, accountId: 'alice', consistency: { atLeastAsFresh: nextPageToken } },
      'INVALID_CONSISTENCY_TOKEN',
    );
    await accepted(listEntries, { ledgerId: LEDGER, pageSize: 1_000, pageToken: nextPageToken });
  });

  test('tokens of another store', async () => {
    const theirs = other.grpc(TransactionQueryService);
    const { nextPageToken, asOf } = await theirs.listEntries({ ledgerId: LEDGER, pageSize: 1 });
    await refused(listEntries, { ledgerId: LEDGER, pageToken: nextPageToken }, 'INVALID_PAGE_TOKEN');
    const consistency = { atLeastAsFresh: asOf?.consistencyToken ?? '' };
    for (const [method, json] of lists) {
      await refused(method, { ...json, consistency }, 'INVALID_CONSISTENCY_TOKEN');
    }
    for (const json of [{ groupBy: 'TRIAL_BALANCE_GROUPING_ACCOUNT' }]) {
      await refused(
        reports.getTrialBalance,
        { ledgerId: LEDGER, ...json, consistency },
        'INVALID_CONSISTENCY_TOKEN',
      );
    }
    await refused(
      watchBalances,
      { ledgerId: LEDGER, accountIds: ['alice'], consistency },
      'INVALID_CONSISTENCY_TOKEN',
    );
    const [events, transactions] = await Promise.all([
      firstOf((signal) => other.grpc(EventQueryService).watchEvents({ ledgerId: LEDGER }, { signal })),
      firstOf((signal) => theirs.watchTransactions({ ledgerId: LEDGER }, { signal })),
    ]);
    await refused(watchEvents, { ledgerId: LEDGER, resumeToken: events.resumeToken }, 'INVALID_RESUME_TOKEN');
    await refused(
      watchTransactions,
      { ledgerId: LEDGER, resumeToken: transactions.resumeToken },
      'INVALID_RESUME_TOKEN',
    );
  });

  test('consistency tokens that are damaged, beyond the end of the log, or of a history that never was', async () => {
    const own = decodeConsistencyToken(target.consistencyToken);
    const asked = { ledgerId: LEDGER, accountId: 'alice' };
    const beyond = encodeConsistencyToken({ ...own, position: 10_000n });
    for (const atLeastAsFresh of [
      ...damaged(),
      '',
      beyond,
      encodeConsistencyToken({ ...own, position: 2n ** 63n - 1n }),
    ]) {
      await refused(getBalance, { ...asked, consistency: { atLeastAsFresh } }, 'INVALID_CONSISTENCY_TOKEN');
    }
    const shard = encodeConsistencyToken({ ...own, shard: 7 });
    await refused(
      getBalance,
      { ...asked, consistency: { atLeastAsFresh: shard } },
      'INVALID_CONSISTENCY_TOKEN',
    );
    const lost = encodeConsistencyToken({ ...own, hash: Buffer.alloc(8, 1) });
    for (const [method, json] of lists) {
      await refused(method, { ...json, consistency: { atLeastAsFresh: lost } }, 'HISTORY_LOST');
      await refused(
        method,
        { ...json, consistency: { atLeastAsFresh: beyond } },
        'INVALID_CONSISTENCY_TOKEN',
      );
    }
  });

  test('resume tokens that are damaged, of another watch, or beyond the end of the log', async () => {
    for (const method of [watchEvents, watchTransactions]) {
      for (const resumeToken of [...damaged(), target.consistencyToken]) {
        await refused(method, { ledgerId: LEDGER, resumeToken }, 'INVALID_RESUME_TOKEN');
      }
      const own = decodeConsistencyToken(target.consistencyToken);
      const message = fromJson(method.input, { ledgerId: LEDGER });
      const fingerprint = queryFingerprint(method.input, message);
      const watch = method === watchEvents ? 'events' : 'transactions';
      const token = { ...own, fingerprint, watch, sent: 0xffff_ffff } as const;
      const beyond = encodeResumeToken({ ...token, position: 10_000n });
      await refused(method, { ledgerId: LEDGER, resumeToken: beyond }, 'INVALID_RESUME_TOKEN');
      const lost = encodeResumeToken({ ...token, hash: Buffer.alloc(8, 1) });
      await refused(method, { ledgerId: LEDGER, resumeToken: lost }, 'HISTORY_LOST');
      const another = encodeResumeToken({ ...token, fingerprint: Buffer.alloc(8) });
      await refused(method, { ledgerId: LEDGER, resumeToken: another }, 'INVALID_RESUME_TOKEN');
    }
  });

  test('a forged page token reads nothing that it should not, and breaks nothing', async () => {
    const own = decodeConsistencyToken(target.consistencyToken);
    for (const [method, json] of lists) {
      const fingerprint = queryFingerprint(method.input, fromJson(method.input, json));
      for (const cursor of [
        [-(2n ** 63n)],
        [2n ** 63n - 1n],
        [0n, 0n],
        [2n ** 63n - 1n, 2n ** 63n - 1n],
        [0n, 0n, 0n],
        ['a\0b', 'x'],
        ['EUR', 'a\0b'],
        ['EUR', 'EUR', 'EUR'],
        [],
      ]) {
        for (const recordedTime of [0n, -(2n ** 63n), 2n ** 63n - 1n]) {
          const pageToken = encodePageToken({ ...own, fingerprint, cursor, recordedTime });
          for (const wire of WIRES) {
            const outcome = await target.raw.json(wire, method, { ...json, pageToken });
            const about = `${method.name} ${wire} ${String(cursor)} ${String(recordedTime)}`;
            if (outcome.code !== 0) expectError(outcome, 'INVALID_PAGE_TOKEN', about);
          }
        }
      }
    }
  });

  test('positions beyond the end of the log', async () => {
    for (const position of ['10000', '9223372036854775807']) {
      await refused(getBalance, { ledgerId: LEDGER, accountId: 'alice', position }, 'POSITION_OUT_OF_RANGE');
      await refused(
        getStatement,
        { ledgerId: LEDGER, accountId: 'alice', position },
        'POSITION_OUT_OF_RANGE',
      );
      await refused(reports.getTrialBalance, { ledgerId: LEDGER, position }, 'POSITION_OUT_OF_RANGE');
      await refused(watchEvents, { ledgerId: LEDGER, startPosition: position }, 'POSITION_OUT_OF_RANGE');
      await accepted(listEvents, { ledgerId: LEDGER, startPosition: position });
      await accepted(listEvents, { ledgerId: LEDGER, endPosition: position });
      await refused(getEvent, { ledgerId: LEDGER, position }, 'POSITION_OUT_OF_RANGE');
    }
    await refused(getEvent, { ledgerId: LEDGER, position: '-1' }, 'INVALID_FIELD');
    // The first event of the log is of no ledger.
    await refused(getEvent, { ledgerId: LEDGER, position: '0' }, 'EVENT_NOT_FOUND');
    await refused(getBalance, { ledgerId: LEDGER, accountId: 'alice', position: '-1' }, 'INVALID_FIELD');
    await refused(getBalance, { ledgerId: LEDGER, accountId: 'alice', position: '0' }, 'ACCOUNT_NOT_FOUND');
    await refused(watchEvents, { ledgerId: LEDGER, startPosition: '-1' }, 'INVALID_FIELD');
  });
});

describe('filters of events', () => {
  test('kinds that do not exist, too many, and an actor that is too long', async () => {
    const kind = 'EVENT_KIND_ACCOUNT_OPENED';
    await accepted(listEvents, { ledgerId: LEDGER, kinds: [kind], actor: 'a'.repeat(512) });
    await refused(listEvents, { ledgerId: LEDGER, kinds: ['EVENT_KIND_UNSPECIFIED'] }, 'INVALID_FIELD');
    await refused(listEvents, { ledgerId: LEDGER, kinds: [99] }, 'INVALID_FIELD');
    await refused(listEvents, { ledgerId: LEDGER, kinds: Array(33).fill(kind) }, 'INVALID_FIELD');
    await refused(listEvents, { ledgerId: LEDGER, actor: 'a'.repeat(513) }, 'INVALID_FIELD');
  });

  test('times that are too fine, or in the wrong order', async () => {
    const time = '2026-01-01T00:00:00Z';
    const finer = '2026-01-01T00:00:00.000000001Z';
    await accepted(listEvents, { ledgerId: LEDGER, startRecordedTime: time });
    await refused(listEvents, { ledgerId: LEDGER, startRecordedTime: finer }, 'INVALID_FIELD');
    const empty = { startRecordedTime: time, endRecordedTime: time };
    await refused(listEvents, { ledgerId: LEDGER, ...empty }, 'INVALID_FIELD');
  });
});

provesTheBooks(target);
