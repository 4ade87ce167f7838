/** `quittance report …` */
import { DeclineReason, TransactionKind } from '../../../gen/quittance/common/v1/transaction_pb.js';
import {
  Interval,
  RankBy,
  ReportQueryService,
  TrialBalanceGrouping,
} from '../../../gen/quittance/query/v1/report_query_service_pb.js';
import { TimeBasis } from '../../../gen/quittance/query/v1/transaction_query_service_pb.js';
import {
  choice,
  idOf,
  type FlagValues,
  maybe,
  one,
  position,
  text,
  toggle,
  value,
  wholeNumber,
  wordOf,
  wordsOf,
} from '../flags.js';
import { given } from '../given.js';
import { say } from '../io.js';
import { decimalOf } from '../money.js';
import { printPages } from '../pages.js';
import { printList } from '../printer.js';
import type { Session } from '../session.js';
import { CALL_FLAGS, FRESHNESS_FLAGS, LEDGER_FLAGS, LIST_FLAGS } from '../shared-flags.js';
import { bucketSheet, type BucketRow, RANKING, TRIAL_BALANCE } from '../sheets/reports.js';
import { type Noun, verb } from '../verb.js';
import { readAt, readWhen } from '../when.js';
import { from } from './answer.js';
import { timeOf } from './fields.js';

const SHARED = { ...FRESHNESS_FLAGS, ...LEDGER_FLAGS, ...CALL_FLAGS };
const CURRENCY_FLAG = { currency: text('code', 'only of this currency') };
const RECORDED_FLAG = { recorded: toggle('by the time of recording (default: by the effective time)') };
const BUCKET_FLAGS = {
  from: value('time', 'the start (default -30d)', readWhen),
  to: value('time', 'the end (default now)', readWhen),
  interval: choice('interval', 'how long a bucket is (default day)', wordsOf<Interval>(Interval)),
  zone: text('zone', 'the time zone of days, such as Europe/Berlin (default UTC)'),
};
const POSITION_FLAG = { position: value('position', 'as it was known at this position', position) };
const methods = ReportQueryService.method;

const trialBalance = verb({
  name: 'trial-balance',
  summary: 'debits and credits of all accounts; both sums are equal',
  positionals: {},
  flags: {
    by: choice(
      'grouping',
      'a row for each (default account-type)',
      wordsOf<TrialBalanceGrouping>(TrialBalanceGrouping),
    ),
    depth: value(
      'parts',
      'with --by id-prefix: how many parts of the id, split at `:` (default 1)',
      wholeNumber,
    ),
    at: value('when', 'a position, a recorded time, or effective:TIME', readAt),
    ...CURRENCY_FLAG,
    ...LIST_FLAGS,
    ...SHARED,
  },
  examples: [
    ['quittance report trial-balance', 'by type of account, now'],
    ['quittance report trial-balance --by id-prefix --depth 2', 'such as a row for all of assets:cash'],
    [
      'quittance report trial-balance --by account --at effective:2026-11-01 --all -o csv',
      'of each account, for October',
    ],
  ],
  run: async (session, { flags: { by, depth = 0, at, currency = '' } }) => {
    const { ledger: ledgerId } = session;
    const end = at === undefined || at.axis === 'position' ? undefined : at;
    const request = {
      ledgerId,
      groupBy: by ?? TrialBalanceGrouping.UNSPECIFIED,
      depth,
      currency,
      timeBasis: end === undefined ? TimeBasis.UNSPECIFIED : BASIS[end.axis],
      position: at?.axis === 'position' ? at.position : 0n,
      ...given({ endTime: timeOf(session, end?.when) }),
    };
    const totals: string[] = [];
    await printPages(session, TRIAL_BALANCE, async (page) => {
      const answer = await session.read(methods.getTrialBalance, (consistency) => ({
        ...request,
        consistency,
        ...page,
      }));
      if (totals.length === 0)
        for (const total of answer.totals) {
          const [debits, credits] = [total.debits, total.credits].map((sum) =>
            decimalOf(sum, total.exponent),
          );
          totals.push(`${total.currency}: debits ${debits ?? ''}, credits ${credits ?? ''}`);
        }
      return { rows: answer.rows, nextPageToken: answer.nextPageToken, asOf: answer.asOf };
    });
    for (const total of totals) say(session.io, total);
    return undefined;
  },
});

const BASIS = { effective: TimeBasis.EFFECTIVE_TIME, recorded: TimeBasis.RECORDED_TIME } as const;

const VOLUME = bucketSheet('kind', ['volume'], true);
const volume = verb({
  name: 'volume',
  summary: 'how much was posted, by time and kind',
  positionals: {},
  flags: { ...BUCKET_FLAGS, ...RECORDED_FLAG, ...POSITION_FLAG, ...CURRENCY_FLAG, ...SHARED },
  examples: [
    ['quittance report volume', 'of the last 30 days'],
    ['quittance report volume --from -1d --interval hour -o csv', 'of the last day, for a spreadsheet'],
  ],
  run: async (session, { flags }) => {
    const { ledger: ledgerId } = session;
    const answer = await session.read(methods.summarizeVolume, (consistency) => ({
      ledgerId,
      consistency,
      buckets: bucketsOf(session, flags),
      position: flags.position ?? 0n,
      timeBasis: basisOf(flags.recorded),
      currency: flags.currency ?? '',
    }));
    const rows = flatten(answer.buckets, ({ kind, volume: sum, exponent, ...row }) => ({
      ...row,
      kind: wordOf(TransactionKind, kind),
      amounts: { volume: decimalOf(sum, exponent) },
    }));
    await printList(session.io, session.format, VOLUME, from(rows));
    session.sayAsOf(answer.asOf);
    return undefined;
  },
});

const DECLINES = bucketSheet('reason', ['volume'], true);
const declines = verb({
  name: 'declines',
  summary: 'what was declined, by time and reason',
  positionals: {},
  flags: { ...BUCKET_FLAGS, ...POSITION_FLAG, ...CURRENCY_FLAG, ...SHARED },
  examples: [['quittance report declines --from -7d', 'of this week']],
  run: async (session, { flags }) => {
    const { ledger: ledgerId } = session;
    const answer = await session.read(methods.summarizeDeclines, (consistency) => ({
      ledgerId,
      consistency,
      buckets: bucketsOf(session, flags),
      position: flags.position ?? 0n,
      currency: flags.currency ?? '',
    }));
    const rows = flatten(answer.buckets, ({ reason, volume: sum, exponent, ...row }) => ({
      ...row,
      kind: wordOf(DeclineReason, reason),
      amounts: { volume: decimalOf(sum, exponent) },
    }));
    await printList(session.io, session.format, DECLINES, from(rows));
    session.sayAsOf(answer.asOf);
    return undefined;
  },
});

const CASH_FLOW = bucketSheet('kind', ['inflow', 'outflow'], false);
const cashFlow = verb({
  name: 'cash-flow',
  summary: 'what came in and went out, of all asset accounts or of one account',
  positionals: { account: idOf('account', maybe('the account')) },
  flags: { ...BUCKET_FLAGS, ...RECORDED_FLAG, ...POSITION_FLAG, ...CURRENCY_FLAG, ...SHARED },
  examples: [
    ['quittance report cash-flow', 'of the last 30 days'],
    ['quittance report cash-flow alice --interval month --from 2026-01-01', 'of an account, by month'],
  ],
  run: async (session, { args: { account = '' }, flags }) => {
    const { ledger: ledgerId } = session;
    const answer = await session.read(methods.summarizeCashFlow, (consistency) => ({
      ledgerId,
      consistency,
      buckets: bucketsOf(session, flags),
      position: flags.position ?? 0n,
      timeBasis: basisOf(flags.recorded),
      currency: flags.currency ?? '',
      accountId: account,
    }));
    const rows = flatten(answer.buckets, ({ kind, inflow, outflow, exponent, currency }) => ({
      currency,
      count: undefined,
      kind: wordOf(TransactionKind, kind),
      amounts: { inflow: decimalOf(inflow, exponent), outflow: decimalOf(outflow, exponent) },
    }));
    await printList(session.io, session.format, CASH_FLOW, from(rows));
    session.sayAsOf(answer.asOf);
    return undefined;
  },
});

const rank = verb({
  name: 'rank',
  summary: 'the accounts with the most',
  positionals: { currency: one('the currency, such as EUR') },
  flags: {
    by: choice('what', 'by what (default posted)', wordsOf<RankBy>(RankBy)),
    top: value('rows', 'so many (default 10)', wholeNumber),
    from: value('time', 'what moved from then on', readWhen),
    to: value('time', 'what moved before then', readWhen),
    ...RECORDED_FLAG,
    ...POSITION_FLAG,
    ...SHARED,
  },
  examples: [['quittance report rank EUR --by credits --top 3 --from -7d', 'who got most this week']],
  run: async (session, { args: { currency }, flags }) => {
    const { ledger: ledgerId } = session;
    const answer = await session.read(methods.rankAccounts, (consistency) => ({
      ledgerId,
      consistency,
      currency,
      rankBy: flags.by ?? RankBy.POSTED,
      limit: flags.top ?? DEFAULT_TOP,
      position: flags.position ?? 0n,
      timeBasis: basisOf(flags.recorded),
      ...given({ startTime: timeOf(session, flags.from), endTime: timeOf(session, flags.to) }),
    }));
    const { exponent } = answer;
    const rows = answer.accounts.map((account) => ({ account, currency, exponent }));
    await printList(session.io, session.format, RANKING, from(rows));
    session.sayAsOf(answer.asOf);
    return undefined;
  },
});

const BALANCES = bucketSheet('account', ['opening', 'debits', 'credits', 'closing'], false);
const balanceHistory = verb({
  name: 'balance-history',
  summary: 'the balance of an account over time, with what moved it',
  positionals: { account: idOf('account', one('its id')) },
  flags: { ...BUCKET_FLAGS, ...RECORDED_FLAG, ...POSITION_FLAG, ...SHARED },
  examples: [
    ['quittance report balance-history alice', 'each day of the last 30'],
    ['quittance report balance-history alice --from 2026-01-01 --interval month -o csv', 'for a spreadsheet'],
  ],
  run: async (session, { args: { account }, flags }) => {
    const { ledger: ledgerId } = session;
    const answer = await session.read(methods.getBalanceHistory, (consistency) => ({
      ledgerId,
      accountId: account,
      consistency,
      buckets: bucketsOf(session, flags),
      timeBasis: basisOf(flags.recorded),
      position: flags.position ?? 0n,
    }));
    const { currency, exponent } = answer;
    const rows = answer.buckets.map(({ startTime: start, endTime: end, ...sums }): BucketRow => ({
      start,
      end,
      kind: account,
      currency,
      count: undefined,
      amounts: {
        opening: decimalOf(sums.opening, exponent),
        debits: decimalOf(sums.debits, exponent),
        credits: decimalOf(sums.credits, exponent),
        closing: decimalOf(sums.closing, exponent),
      },
    }));
    await printList(session.io, session.format, BALANCES, from(rows));
    session.sayAsOf(answer.asOf);
    return undefined;
  },
});

const DEFAULT_TOP = 10;
const DEFAULT_START = readWhen('-30d');
const NOW = readWhen('now');

function bucketsOf(session: Session, flags: FlagValues<typeof BUCKET_FLAGS>) {
  const now = session.io.now();
  return {
    startTime: (flags.from ?? DEFAULT_START)(now),
    endTime: (flags.to ?? NOW)(now),
    interval: flags.interval ?? Interval.DAY,
    timeZone: flags.zone ?? '',
  };
}

function basisOf(recorded: boolean | undefined): TimeBasis {
  return recorded === true ? TimeBasis.RECORDED_TIME : TimeBasis.EFFECTIVE_TIME;
}

interface Bucket<R> {
  readonly startTime?: BucketRow['start'];
  readonly endTime?: BucketRow['end'];
  readonly rows: readonly R[];
}

/** A row for each bucket and row in it; an empty bucket has one too, so that a gap is seen. */
function flatten<R>(
  buckets: readonly Bucket<R>[],
  rowOf: (row: R) => Omit<BucketRow, 'start' | 'end'>,
): BucketRow[] {
  return buckets.flatMap(({ startTime: start, endTime: end, rows }) => {
    const shown = rows.length === 0 ? [EMPTY] : rows.map(rowOf);
    return shown.map((row): BucketRow => ({ start, end, ...row }));
  });
}

const EMPTY = { kind: '', currency: '', count: 0n, amounts: {} } as const;

export const REPORT: Noun = {
  name: 'report',
  plural: 'reports',
  summary: 'trial balance, volume, declines, cash flow, balances over time, rankings',
  verbs: [trialBalance, volume, declines, cashFlow, balanceHistory, rank],
};
