/** One trace from a payment, through the flush, the log and the bus, to its three views and the reads that waited for it. */
import { randomBytes, randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { AccountCommandService } from '../../../gen/quittance/command/v1/account_command_service_pb.js';
import { LedgerCommandService } from '../../../gen/quittance/command/v1/ledger_command_service_pb.js';
import { TransactionCommandService } from '../../../gen/quittance/command/v1/transaction_command_service_pb.js';
import { AccountQueryService } from '../../../gen/quittance/query/v1/account_query_service_pb.js';
import { ReportQueryService } from '../../../gen/quittance/query/v1/report_query_service_pb.js';
import { TransactionQueryService } from '../../../gen/quittance/query/v1/transaction_query_service_pb.js';
import { until } from '../../../test/load.js';
import { type OtlpReceiver, type SentSpan, startOtlpReceiver } from '../../../test/otlp-receiver.js';
import { startPlatform, type TestPlatform } from './platform.js';

const ledgerId = 'traced';
const eur = (minorUnits: bigint) => ({ currency: 'EUR', minorUnits });
const SERVER = 2;
const CONSUMER = 5;

let receiver: OtlpReceiver;
let platform: TestPlatform;

beforeAll(async () => {
  receiver = await startOtlpReceiver();
  platform = await startPlatform({ tracesTo: receiver.url });
  await platform.grpc(LedgerCommandService).createLedger({ ledgerId, requestId: randomUUID() });
  const accounts = platform.grpc(AccountCommandService);
  for (const accountId of ['alice', 'shop']) {
    await accounts.openAccount({ ledgerId, requestId: randomUUID(), accountId, currency: 'EUR' });
  }
  const deposit = { ledgerId, requestId: randomUUID(), accountId: 'alice', amount: eur(10_000n) };
  await platform.grpc(TransactionCommandService).deposit(deposit);
});

afterAll(async () => {
  await platform.stop();
  await receiver.stop();
});

/** The spans of a trace that have come so far, the first one first. */
function spansOf(traceId: string): readonly SentSpan[] {
  return receiver.spans
    .filter((span) => span.traceId === traceId)
    .sort((one, other) => Number(one.began - other.began));
}

function named(traceId: string, name: string): readonly SentSpan[] {
  return spansOf(traceId).filter((span) => span.name === name);
}

const payment = () => ({
  ledgerId,
  requestId: randomUUID(),
  payerAccountId: 'alice',
  payeeAccountId: 'shop',
  amount: eur(1n),
});

const PAY = 'quittance.command.v1.TransactionCommandService/SubmitPayment';
const READS = [
  'quittance.query.v1.AccountQueryService/GetBalance',
  'quittance.query.v1.TransactionQueryService/ListTransactions',
  'quittance.query.v1.ReportQueryService/GetTrialBalance',
];

test.each(['grpc', 'connect'] as const)(
  'over %s: a payment, its views and the reads are one trace',
  async (door) => {
    const traceId = randomBytes(16).toString('hex');
    const callerSpan = 'c0ffee0000000001';
    const headers = { traceparent: `00-${traceId}-${callerSpan}-01` };
    const client = platform[door];
    const paid = await client(TransactionCommandService).submitPayment(payment(), { headers });
    const consistency = { requirement: { case: 'atLeastAsFresh' as const, value: paid.consistencyToken } };
    const read = { ledgerId, accountId: 'shop', consistency };
    await client(AccountQueryService).getBalance(read, { headers });
    await client(TransactionQueryService).listTransactions(read, { headers });
    await client(ReportQueryService).getTrialBalance({ ledgerId, consistency }, { headers });

    const projections = ['project balances', 'project history', 'project reports'];
    await until(
      'all spans have come',
      () =>
        [...projections, ...READS].every((name) => named(traceId, name).length > 0) &&
        named(traceId, 'wait for the view').length >= READS.length,
    );
    const [call] = named(traceId, PAY);
    expect(call).toMatchObject({ kind: SERVER, parentSpanId: callerSpan });
    const [commit, ...others] = named(traceId, 'commit');
    expect(others).toEqual([]);
    expect(commit).toMatchObject({ parentSpanId: call?.spanId });
    expect(commit?.attributes).toMatchObject({
      'quittance.position': String(paid.position),
      'quittance.event': 'transactionPosted',
    });
    for (const name of projections) {
      expect(named(traceId, name)[0]).toMatchObject({ kind: CONSUMER, parentSpanId: commit?.spanId });
    }
    for (const name of READS) {
      const [reading] = named(traceId, name);
      expect(reading).toMatchObject({ kind: SERVER, parentSpanId: callerSpan });
      const wait = named(traceId, 'wait for the view').find(
        ({ parentSpanId }) => parentSpanId === reading?.spanId,
      );
      expect(wait?.attributes).toMatchObject({ 'quittance.position': String(paid.position) });
    }
    // Where there is a broker, the event went through it in the same trace, at least once.
    if (call?.service === 'quittance-command') {
      await until('it was published', () => named(traceId, 'publish').length > 0);
    }
    for (const published of named(traceId, 'publish')) expect(published.parentSpanId).toBe(commit?.spanId);
    await until('the flush has come', () => flushOf(commit) !== undefined);
    const flush = flushOf(commit);
    expect(flush?.links).toContain(call?.spanId);
    const [append] = named(flush?.traceId ?? '', 'append');
    expect(append).toMatchObject({ parentSpanId: flush?.spanId });
    expect(append?.attributes).toMatchObject({ 'quittance.outcome': 'appended' });
  },
);

/** The flush that a commit is linked to: it is a trace of its own. */
function flushOf(commit: SentSpan | undefined): SentSpan | undefined {
  return receiver.spans.find(
    ({ name, spanId }) => name === 'flush' && commit?.links.includes(spanId) === true,
  );
}

test('a call without a trace begins one, with the id that its event carries; one that is not sampled has no span', async () => {
  const client = platform.grpc(TransactionCommandService);
  const unsampled = randomBytes(16).toString('hex');
  await client.submitPayment(payment(), { headers: { traceparent: `00-${unsampled}-c0ffee0000000001-00` } });
  const before = new Set(receiver.spans.map(({ spanId }) => spanId));
  await client.submitPayment(payment());
  const fresh = () =>
    receiver.spans.find((span) => span.name === PAY && !before.has(span.spanId) && span.parentSpanId === '');
  await until('the call has come', () => fresh() !== undefined);
  const traceId = fresh()?.traceId ?? '';
  await until('its projections have come', () => named(traceId, 'project balances').length > 0);
  // The views have taken in the event of that call before those of the later one.
  expect(spansOf(unsampled)).toEqual([]);
});
