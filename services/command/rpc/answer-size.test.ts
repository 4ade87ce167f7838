/** No answer to a command is larger than a message may be, whatever was asked: shown by the largest of each kind. */
import {
  create,
  createRegistry,
  type DescMessage,
  type Message,
  toBinary,
  toJsonString,
} from '@bufbuild/protobuf';
import { beforeAll, describe, expect, test } from '@jest/globals';
import { file_google_rpc_error_details } from '../../../gen/google/rpc/error_details_pb.js';
import { StatusSchema } from '../../../gen/google/rpc/status_pb.js';
import {
  CommandResultSchema,
  ExecuteBatchResponseSchema,
} from '../../../gen/quittance/command/v1/transaction_command_service_pb.js';
import { ErrorReason } from '../../../gen/quittance/common/v1/error_reason_pb.js';
import { FeePayer } from '../../../gen/quittance/common/v1/transaction_pb.js';
import { timestampOf } from '../../../lib/base/time.js';
import { pointOf, type RecordedEvent } from '../../../lib/log/recorded-event.js';
import { abbreviatedStatus, fail, toStatus } from '../../../lib/rpc/errors.js';
import { MESSAGE_MAX_BYTES } from '../../../lib/rpc/decode.js';
import { type CommandInit, LedgerFixture, testId } from '../../../test/ledger-fixture.js';
import type { Decided } from '../application/job.js';
import { abbreviatedAnswerOf, answerOf } from './answer.js';
import type { Kind } from './command-method.js';
import { COMMANDS } from './command-table.js';

const BATCH_MAX_ITEMS = 1_000;
const LEDGER = 'L'.padEnd(128, 'l');
/** JSON writes a control character as six. */
const text = (chars: number) => '\u0001'.repeat(chars);
/** 32 pairs, 8 KiB in all. */
const metadata = Object.fromEntries(
  Array.from({ length: 32 }, (_, i) => [`${'k'.repeat(60)}${String(i)}`, text(190)]),
);
const money = (minorUnits: bigint) => ({ currency: 'EUR', minorUnits });
const account = (name: string) => `${name}-`.padEnd(128, 'x');
const described = { reference: text(128), description: text(500), metadata };

/** The largest command of each kind, after what it needs, as the real domain decides it. */
function largest(): ReadonlyMap<Kind, RecordedEvent[]> {
  const books = new LedgerFixture();
  const found = new Map<Kind, RecordedEvent[]>();
  let n = 0n;
  const run = (init: CommandInit & { case: Kind }) => {
    const events = books.run(init);
    const size = events[0]?.bytes.length ?? 0;
    if (size >= (found.get(init.case)?.[0]?.bytes.length ?? 0)) found.set(init.case, events);
    return testId(n);
  };
  const common = () => ({ ledgerId: LEDGER, requestId: testId((n += 1n)) });
  const profile = { name: text(128), ownerReference: text(128), metadata };
  const most = 10n ** 18n - 1n;
  const period = { amount: most, count: 10n ** 9n };
  const zone = { timeZone: 'America/Argentina/ComodRivadavia' };
  const limits = { debit: most, balance: most, day: period, week: period, month: period, ...zone };
  const open = (name: string) =>
    run({
      case: 'openAccount',
      value: { ...common(), ...profile, accountId: account(name), currency: 'EUR', limits },
    });
  run({ case: 'createLedger', value: { ...common(), description: text(500), metadata } });
  run({
    case: 'registerAsset',
    value: { ...common(), code: 'A'.repeat(16), exponent: 18, name: text(128) },
  });
  const names = Array.from({ length: 100 }, (_, i) => `a${String(i)}`);
  for (const name of [...names, 'payer', 'payee']) open(name);
  const accountId = account('payer');
  const own = () => ({ ...common(), accountId });
  const updateMask = { paths: ['name', 'owner_reference', 'overdraft_limit', 'metadata'] };
  const overdraftLimit = 10n ** 18n - 1n;
  run({ case: 'updateAccount', value: { ...own(), ...profile, overdraftLimit, updateMask } });
  run({ case: 'freezeAccount', value: own() });
  run({ case: 'unfreezeAccount', value: own() });
  run({ case: 'deposit', value: { ...own(), ...described, amount: money(10n ** 17n) } });
  run({ case: 'withdraw', value: { ...own(), ...described, amount: money(10n ** 16n) } });
  const parties = { payerAccountId: accountId, payeeAccountId: account('payee') };
  const fees = (from: number) =>
    names.slice(from, from + 10).map((name) => ({
      paidBy: from % 20 === 0 ? FeePayer.PAYER : FeePayer.PAYEE,
      toAccountId: account(name),
      amount: money(10n ** 14n),
    }));
  const amount = money(10n ** 16n);
  run({ case: 'submitPayment', value: { ...common(), ...parties, ...described, amount, fees: fees(0) } });
  const paymentId = run({
    case: 'authorizePayment',
    value: { ...common(), ...parties, ...described, amount: money(10n ** 17n) },
  });
  const part = money(10n ** 15n);
  const sum = { ...described, paymentId, amount: part };
  for (let from = 0; from < 100; from += 10)
    run({ case: 'capturePayment', value: { ...common(), ...sum, fees: fees(from) } });
  run({ case: 'adjustAuthorization', value: { ...common(), paymentId, amount: money(2n * 10n ** 17n) } });
  run({ case: 'adjustAuthorization', value: { ...common(), paymentId, amount: money(9n * 10n ** 17n) } });
  const refund = run({ case: 'refundPayment', value: { ...common(), ...sum, fees: fees(0) } });
  run({ case: 'reverseTransaction', value: { ...common(), ...described, transactionId: refund } });
  run({ case: 'voidPayment', value: { ...common(), paymentId } });
  const entries = names.map((name, i) => ({
    accountId: account(name),
    direction: i % 2 === 0 ? 1 : 2,
    amount: money(10n ** 13n),
  }));
  run({ case: 'postTransaction', value: { ...common(), ...described, entries, force: true } });
  const mask = { paths: ['description', 'metadata'] };
  run({
    case: 'updateTransaction',
    value: { ...common(), transactionId: refund, updateMask: mask, description: text(500), metadata },
  });
  const closedThrough = timestampOf(books.now - 1n);
  run({ case: 'closePeriod', value: { ...common(), closedThrough, description: text(500) } });
  run({ case: 'reopenPeriod', value: { ...common(), reason: text(500) } });
  open('gone');
  run({ case: 'closeAccount', value: { ...common(), accountId: account('gone') } });
  return found;
}

const registry = createRegistry(file_google_rpc_error_details);

/** In JSON with every default written out, and in binary. */
function sizesOf(schema: DescMessage, message: Message): number[] {
  const json = toJsonString(schema, message, { registry, alwaysEmitImplicit: true });
  return [Buffer.byteLength(json), toBinary(schema, message).length];
}

const LOG = { logId: new Uint8Array(16).fill(255), shard: 2 ** 31 - 1 };
const KINDS = Object.keys(COMMANDS) as Kind[];

describe('the largest answers', () => {
  let decided: ReadonlyMap<Kind, Decided>;
  const of = (kind: Kind): Decided => {
    const found = decided.get(kind);
    if (found === undefined) throw new Error(`the test lacks ${kind}`);
    return found;
  };

  beforeAll(() => {
    const made = [...largest()].map(([kind, stored]): [Kind, Decided] => {
      const last = stored.at(-1);
      if (last === undefined) throw new Error('a command has events');
      return [
        kind,
        { events: stored.map(({ event }) => event), command: null, replayed: true, point: pointOf(last) },
      ];
    });
    decided = new Map(made);
  });

  test.each(KINDS)('to %s fits whole into a message of a call or a stream', (kind) => {
    const result = create(CommandResultSchema, { result: answerOf(kind, of(kind), LOG) });
    for (const size of sizesOf(CommandResultSchema, result)) expect(size).toBeLessThan(MESSAGE_MAX_BYTES / 8);
  });

  test.each(KINDS)('to a batch of 1,000 %s fits if it is abbreviated', (kind) => {
    const result = create(CommandResultSchema, { result: abbreviatedAnswerOf(kind, of(kind)) });
    const answer = create(ExecuteBatchResponseSchema, {
      results: Array.from({ length: BATCH_MAX_ITEMS }, () => result),
      abbreviated: true,
      consistencyToken: 't'.repeat(200),
    });
    for (const size of sizesOf(ExecuteBatchResponseSchema, answer))
      expect(size).toBeLessThan(MESSAGE_MAX_BYTES);
  });

  test('to a batch of 1,000 refused commands fits if it is abbreviated, and alone in any case', () => {
    const error = fail(ErrorReason.QUEUE_FULL, text(1_000), {
      fields: Array.from({ length: 100 }, () => ({ field: text(500), description: text(500) })),
      resource: { type: 'account', name: text(500) },
      metadata: { index: text(500) },
    });
    for (const size of sizesOf(StatusSchema, toStatus(error)))
      expect(size).toBeLessThan(MESSAGE_MAX_BYTES / 8);
    const result = create(CommandResultSchema, {
      result: { case: 'error', value: abbreviatedStatus(error) },
    });
    const answer = create(ExecuteBatchResponseSchema, {
      results: Array.from({ length: BATCH_MAX_ITEMS }, () => result),
    });
    for (const size of sizesOf(ExecuteBatchResponseSchema, answer))
      expect(size).toBeLessThan(MESSAGE_MAX_BYTES);
  });
});
