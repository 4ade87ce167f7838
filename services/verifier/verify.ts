/**
 * Verifies a ledger: that the log is whole, that it folds to what it says, and that state tables and views
 * equal the fold.
 *
 * Memory is bounded by: the accounts of one range of ids (`mostAccounts`; more of them mean more passes over
 * the ledger), the chains of transactions used last (`mostChains`; others are folded again from their
 * streams), the report sums of 15 minutes, 1 MiB of row sums per subject, the rows of those buckets whose
 * sums differ (`mostRows`), and the rows that events after the log's end at the start have changed while they
 * were read.
 */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { VerifySubject } from '../../gen/quittance/ops/v1/ledger_service_pb.js';
import { INT64_MAX, largestOf, smallerOf } from '../../lib/base/bigints.js';
import { ledgerNotFound } from '../../lib/rpc/ledger-not-found.js';
import type { View } from '../../lib/views/view.js';
import { ChainWalk, decodeStored, type LogRecord } from './log/chain-walk.js';
import { ExpectedCopies } from './log/expected-copies.js';
import { closedThroughAt, periodEnds } from './log/period-events.js';
import { Comparison } from './compare/comparison.js';
import { type FindingSink, type Findings, NO_FINDINGS } from './compare/findings.js';
import { HASH_END, type HashRange } from './fold/hash-range.js';
import { isFixedHistoryRow } from './rows/history-rows.js';
import { type Comparisons, LedgerPass, type StateCheckpoints } from './fold/ledger-pass.js';
import type { StateTables, StoredFlush, StoredLog } from './ports.js';
import { checkCheckpoint, isWhole, waitForView } from './compare/checkpoints.js';
import { readState, readView } from './rows/read-rows.js';
import { isFixedReportRow } from './rows/report-sums.js';
import { BUCKETS } from './rows/row-sums.js';

/** What bounds memory. */
export interface VerifyLimits {
  /** Accounts in memory. */
  readonly mostAccounts: number;
  /** Chains of transactions with an open hold in memory. */
  readonly mostChains: number;
  /** Rows of a subject in memory when differences are named. */
  readonly mostRows: number;
  /** How often the ledger is read again to name differences; beyond that they are counted by bucket. */
  readonly mostSecondLooks: number;
}

export const DEFAULT_LIMITS: VerifyLimits = {
  mostAccounts: 200_000,
  mostChains: 20_000,
  mostRows: 100_000,
  mostSecondLooks: 10,
};

/** What verification reads. */
export interface VerifyDeps {
  readonly stored: StoredLog;
  readonly state: StateTables;
  /** The generations that serve. */
  readonly views: {
    readonly balances: () => Promise<View>;
    readonly history: () => Promise<View>;
    readonly reports: () => Promise<View>;
  };
  readonly partitionOf: (ledgerId: string) => number;
  readonly limits?: Partial<VerifyLimits>;
}

/** One verification. */
export interface Verification {
  readonly ledgerId: string;
  /** How long to wait for views, milliseconds since 1970. */
  readonly due_ms: number;
  readonly findings: Findings;
  readonly signal: AbortSignal;
}

export const SUBJECTS = [
  VerifySubject.LOG,
  VerifySubject.STATE_TABLES,
  VerifySubject.BALANCES,
  VerifySubject.HISTORY,
  VerifySubject.REPORTS,
] as const;

const PAGE_EVENTS = 500;
/** Positions read at once, from where a row begins; rows are read whole. */
const PAGE_POSITIONS = 1_000n;
/** Events folded without a pause: all else in this process waits meanwhile. */
const EVENTS_A_TURN = 50;

/** What was verified to. */
export interface VerifiedEnd {
  readonly position: bigint;
  readonly hash: Uint8Array;
}

interface Run extends VerifyDeps, Verification {
  readonly bounds: VerifyLimits;
  readonly through: bigint;
  readonly serving: { readonly balances: View; readonly history: View; readonly reports: View };
  /** Views that lack events of the ledger, which was reported. */
  readonly incomplete: Set<VerifySubject>;
}

/**
 * Verifies up to the log's end at the start, which it gives. Findings and progress go to `findings`.
 * @throws CallError LEDGER_NOT_FOUND, READ_MODEL_BEHIND, NOT_SERVING, or the signal's reason.
 */
export async function verify(deps: VerifyDeps, verification: Verification): Promise<VerifiedEnd> {
  const { stored, views } = deps;
  const { ledgerId, findings, due_ms, signal } = verification;
  const end = await stored.end();
  if (end === undefined) throw new Error('the log is empty: it has no first event');
  const through = end.last;
  const first = await stored.page({ after: -1n, through, limit: 1, ledgerId, streamId: null });
  if (first.length === 0) {
    throw ledgerNotFound(ledgerId);
  }
  const partition = deps.partitionOf(ledgerId);
  const point = { epoch: end.epoch, position: through };
  const reached = (view: () => Promise<View>) => waitForView(view, partition, point, due_ms, signal);
  const [balances, history, reports] = await Promise.all([
    reached(() => views.balances()),
    reached(() => views.history()),
    reached(() => views.reports()),
  ]);
  const serving = { balances, history, reports };
  const run: Run = {
    ...deps,
    ...verification,
    bounds: { ...DEFAULT_LIMITS, ...deps.limits },
    through,
    serving,
    incomplete: new Set(),
  };
  await checkCheckpoint(stored, VerifySubject.STATE_TABLES, await deps.state.checkpoint(), findings);
  for (const [subject, view] of viewsOf(run)) {
    await checkCheckpoint(stored, subject, await view.checkpoint(partition), findings);
    if (!(await isWhole(view, { partition, ledgerId, through }, subject, findings)))
      run.incomplete.add(subject);
  }
  await checkLedgerRow(run, first[0]?.position ?? 0n);
  await compareSums(run);
  return { position: through, hash: end.hash };
}

/** The row that says what is closed, at its own checkpoint. */
async function checkLedgerRow({ state, stored, ledgerId, findings }: Run, created: bigint): Promise<void> {
  const { checkpoint, rows } = await state.ledger(ledgerId);
  const text = (closedThrough: bigint | null) => `closed through ${closedThrough ?? 'nothing'}`;
  const expected =
    created > checkpoint ? 'no row' : text(await closedThroughAt(stored, ledgerId, checkpoint));
  const actual = rows[0] === undefined ? 'no row' : text(rows[0].closedThrough);
  if (expected === actual) return;
  const entity = `ledger ${ledgerId}`;
  findings.add({ subject: VerifySubject.STATE_TABLES, position: 0n, entity, expected, actual });
}

function viewsOf({ serving }: Run): readonly (readonly [VerifySubject, View])[] {
  return [
    [VerifySubject.BALANCES, serving.balances],
    [VerifySubject.HISTORY, serving.history],
    [VerifySubject.REPORTS, serving.reports],
  ];
}

/**
 * The first look: compares the sums of all rows. Then has the differences named in the buckets whose sums
 * differ.
 */
async function compareSums(run: Run): Promise<void> {
  const { findings, bounds } = run;
  const comparisons = comparisonsOf(run, () => undefined);
  const reported = new Set<string>();
  const beyondTheEnd: FindingSink = {
    add: (finding) => {
      reported.add(`${String(finding.subject)} ${finding.entity}`);
      findings.add(finding);
    },
  };
  const checkpoints = await readAll(run, comparisons);
  await fold(run, comparisons, checkpoints, { log: findings, rows: beyondTheEnd });
  const differing = new Map<VerifySubject, number[]>();
  for (const [subject, comparison] of listOf(comparisons)) {
    comparison.reportUnexplained(beyondTheEnd);
    findings.compared(subject, comparison.rows);
    differing.set(subject, comparison.differing());
  }
  const rows = Math.max(...listOf(comparisons).map(([, comparison]) => comparison.rows));
  const size = Math.max(1, Math.floor(bounds.mostRows / Math.max(1, rows / BUCKETS)));
  // What the first look reported of a row is not reported again.
  const notReported: FindingSink = {
    add: (finding) => {
      if (!reported.has(`${String(finding.subject)} ${finding.entity}`)) findings.add(finding);
    },
  };
  for (let round = 0; round < bounds.mostSecondLooks; round++) {
    const chosen = new Map(
      [...differing].map(([subject, buckets]) => [subject, new Set(buckets.splice(0, size))]),
    );
    if ([...chosen.values()].every((buckets) => buckets.size === 0)) return;
    await nameDifferences(run, chosen, notReported);
  }
  for (const [subject, buckets] of differing) findings.addUnnamed(subject, BigInt(buckets.length));
}

/**
 * The second look: reads and folds everything again, and compares the rows of the chosen buckets one by one.
 */
async function nameDifferences(
  run: Run,
  chosen: ReadonlyMap<VerifySubject, ReadonlySet<number>>,
  findings: FindingSink,
): Promise<void> {
  const comparisons = comparisonsOf(run, (subject) => chosen.get(subject) ?? new Set());
  const checkpoints = await readAll(run, comparisons);
  await fold(run, comparisons, checkpoints, { log: NO_FINDINGS, rows: findings });
  for (const [, comparison] of listOf(comparisons)) comparison.reportDifferences(findings);
}

function comparisonsOf(
  { through, incomplete }: Run,
  bucketsOf: (subject: VerifySubject) => ReadonlySet<number> | undefined,
): Comparisons {
  const comparison = (subject: VerifySubject, isFixed: (key: string) => boolean, end = through) =>
    new Comparison({
      subject,
      through: end,
      isFixed,
      buckets: bucketsOf(subject),
      isIncomplete: incomplete.has(subject),
    });
  return {
    // Each row of the state tables is compared as of the checkpoint that it was read at.
    state: comparison(VerifySubject.STATE_TABLES, () => false, INT64_MAX),
    balances: comparison(VerifySubject.BALANCES, () => false),
    history: comparison(VerifySubject.HISTORY, isFixedHistoryRow),
    reports: comparison(VerifySubject.REPORTS, isFixedReportRow),
  };
}

function listOf(comparisons: Comparisons): readonly (readonly [VerifySubject, Comparison])[] {
  return [
    [VerifySubject.STATE_TABLES, comparisons.state],
    [VerifySubject.BALANCES, comparisons.balances],
    [VerifySubject.HISTORY, comparisons.history],
    [VerifySubject.REPORTS, comparisons.reports],
  ];
}

/**
 * Reads all rows that are there. The fold comes after, so that it is known which rows are newer than the
 * verified end. One subject is read after the other: each reads its next page while it compares one, and pages of
 * all subjects at once would only be more memory.
 */
async function readAll(run: Run, comparisons: Comparisons): Promise<StateCheckpoints> {
  const { ledgerId, findings, signal, serving, state } = run;
  const progress = (subject: VerifySubject) => {
    let done = 0n;
    return (rows: number) => {
      done += BigInt(rows);
      findings.progress(subject, done, 0n);
    };
  };
  const views = [
    [VerifySubject.BALANCES, serving.balances, comparisons.balances],
    [VerifySubject.HISTORY, serving.history, comparisons.history],
    [VerifySubject.REPORTS, serving.reports, comparisons.reports],
  ] as const;
  const stateProgress = progress(VerifySubject.STATE_TABLES);
  const states = await readState(state, ledgerId, comparisons.state, stateProgress, signal);
  for (const [subject, view, rows] of views) {
    await readView(view, ledgerId, rows, progress(subject), signal);
  }
  return states;
}

interface Sinks {
  readonly log: FindingSink;
  readonly rows: FindingSink;
}

/** Folds the ledger, a range of accounts at a time; the first pass walks the chain over the whole shard. */
async function fold(
  run: Run,
  comparisons: Comparisons,
  checkpoints: StateCheckpoints,
  sinks: Sinks,
): Promise<void> {
  const { ledgerId, through, stored, bounds, findings } = run;
  const sums = new Map<string, bigint>();
  const beyond = [comparisons.balances, comparisons.history, comparisons.reports].map(
    ({ greatestSetAside }) => greatestSetAside,
  );
  const end = largestOf([checkpoints.accounts.greatest, checkpoints.transactions.greatest, ...beyond]);
  // Without the balances the state tables tell how many accounts there are at most.
  const accounts = run.incomplete.has(VerifySubject.BALANCES)
    ? comparisons.state.rows
    : comparisons.balances.rows;
  const ends = await periodEnds(stored, ledgerId, through);
  const ranges = rangesOf(Math.ceil(accounts / bounds.mostAccounts));
  for (const [index, range] of ranges.entries()) {
    const isFirst = index === 0;
    const pass = new LedgerPass({
      ledgerId,
      through,
      stored,
      range,
      isFirst,
      periodEnds: ends,
      mostChains: bounds.mostChains,
      comparisons,
      checkpoints,
      logFindings: sinks.log,
      rowFindings: sinks.rows,
    });
    if (isFirst && sinks.log !== NO_FINDINGS) await walkChain(run, pass, sinks.log);
    else await applyEvents(run, pass, -1n, through);
    pass.finishVerifiedRange(sums);
    if (end > through) await applyEvents(run, pass, through, end);
    pass.end();
  }
  for (const [currency, sum] of sums) {
    if (sum === 0n) continue;
    const [expected, actual] = [`balances in ${currency} that sum to 0`, String(sum)];
    sinks.log.add({ subject: VerifySubject.LOG, position: through, entity: ledgerId, expected, actual });
  }
  if (sinks.log !== NO_FINDINGS) findings.compared(VerifySubject.LOG, Number(through) + 1);
}

/**
 * Walks the chain over the shard, and folds the ledger's events on the way, row by row: decoded events are many times as large as
 * their bytes.
 */
async function walkChain(run: Run, pass: LedgerPass, log: FindingSink): Promise<void> {
  const { stored, ledgerId, through, findings, signal } = run;
  const chain = new ChainWalk(stored.shard, log);
  let comparing = Promise.resolve();
  for (let next = readAhead(stored, -1n, through), after = -1n; after < through;) {
    signal.throwIfAborted();
    const flushes = await next;
    after = flushes.at(-1)?.first ?? smallerOf(after + PAGE_POSITIONS, through);
    // Read while this page is folded.
    next = readAhead(stored, after, through);
    const copies = new ExpectedCopies();
    for (const flush of flushes) await applyAll(chain.check(flush, copies), ledgerId, pass);
    await comparing;
    // Read while the next page is folded.
    comparing = compareCopies(stored, copies, log);
    const walked = flushes.at(-1)?.last ?? after;
    findings.progress(VerifySubject.LOG, smallerOf(walked, through) + 1n, through + 1n);
  }
  await comparing;
  chain.end(through);
}

/** It is awaited later; a rejection until then must not count as unhandled. */
function compareCopies(stored: StoredLog, copies: ExpectedCopies, log: FindingSink): Promise<void> {
  const comparing = stored.copies(copies.asked).then((read) => {
    copies.compare(read, log);
  });
  comparing.catch(() => undefined);
  return comparing;
}

/** The rows that begin in the next positions. It is awaited later; a rejection until then must not count as unhandled. */
function readAhead(stored: StoredLog, after: bigint, through: bigint): Promise<readonly StoredFlush[]> {
  const reading =
    after >= through
      ? Promise.resolve([])
      : stored.flushes(after, smallerOf(after + PAGE_POSITIONS, through));
  reading.catch(() => undefined);
  return reading;
}

async function applyAll(records: readonly LogRecord[], ledgerId: string, pass: LedgerPass): Promise<void> {
  for (const [index, record] of records.entries()) {
    if (index % EVENTS_A_TURN === 0) await nextTurn();
    if (record.event.ledgerId === ledgerId) await pass.apply(record);
  }
}

/** Folds the ledger's events after a position. */
async function applyEvents(run: Run, pass: LedgerPass, after: bigint, through: bigint): Promise<void> {
  const { stored, ledgerId, signal } = run;
  const read = (from: bigint) => {
    const page = stored.page({ after: from, through, limit: PAGE_EVENTS, ledgerId, streamId: null });
    page.catch(() => undefined);
    return page;
  };
  for (let next = read(after); ;) {
    signal.throwIfAborted();
    const rows = await next;
    const last = rows.at(-1);
    if (last === undefined) return;
    const isLast = rows.length < PAGE_EVENTS;
    if (!isLast) next = read(last.position);
    const records = rows.flatMap((row) => decodeStored(row) ?? []);
    await applyAll(records, ledgerId, pass);
    if (isLast) return;
  }
}

function rangesOf(count: number): HashRange[] {
  const parts = Math.max(1, count);
  const bound = (index: number) => Math.floor((HASH_END / parts) * index);
  return Array.from({ length: parts }, (_, index) => ({
    from: bound(index),
    to: index === parts - 1 ? HASH_END : bound(index + 1),
  }));
}
