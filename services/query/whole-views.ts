/**
 * Views whose every answer is as of a position before the first parked event of its ledger. Where nothing is parked
 * they add nothing; else a list or a report is read again up to that position.
 */
import type { HistoryView } from '../../lib/views/history/view.js';
import { ledgersWholeUpTo, wholeUpTo } from '../../lib/views/parked/parked.js';
import type { ReportsView } from '../../lib/views/reports/view.js';
import type { Checkpoint, Read } from '../../lib/views/view.js';
import type { CurrentBalances } from './current-balances.js';
import type { Generations, ReadableView } from './serving-view.js';

/** What is read: everything recorded at or before a position, or at the checkpoint. */
interface Bounded {
  readonly ledgerId: string;
  readonly through: bigint | null;
}

/** What the read methods use of the history view. */
export type WholeHistory = Omit<HistoryView, 'apply' | 'rows' | 'deadLetters' | 'unpark'>;
/** What the read methods use of the reports view. */
export type WholeReports = Omit<ReportsView, 'apply' | 'rows' | 'deadLetters' | 'unpark'>;

export function wholeBalances(generations: Generations<CurrentBalances>): Generations<CurrentBalances> {
  return each(generations, (view) => ({
    ...readable(view),
    balances: async (partition: number, ledgerId: string, accountIds: readonly string[]) =>
      whole(await view.balances(partition, ledgerId, accountIds), ledgerId),
  }));
}

export function wholeHistory(generations: Generations<HistoryView>): Generations<WholeHistory> {
  return each(generations, (view): WholeHistory => ({
    ...readable(view),
    id: view.id,
    store: view.store,
    ledger: async (partition, ledgerId) => whole(await view.ledger(partition, ledgerId), ledgerId),
    ledgers: (listing) =>
      bounded(listing.through, ledgersWholeUpTo, (through) => view.ledgers({ ...listing, through })),
    account: async (partition, ledgerId, accountId) =>
      whole(await view.account(partition, ledgerId, accountId), ledgerId),
    accounts: (listing) => boundedOf(listing, (through) => view.accounts({ ...listing, through })),
    balanceAtPosition: (partition, ledgerId, accountId, position) =>
      boundedOf({ ledgerId, through: position }, (through) =>
        view.balanceAtPosition(partition, ledgerId, accountId, through ?? position),
      ),
    balanceAtEffectiveTime: async (partition, ledgerId, accountId, time) =>
      whole(await view.balanceAtEffectiveTime(partition, ledgerId, accountId, time), ledgerId),
    transaction: async (partition, ledgerId, transactionId) =>
      whole(await view.transaction(partition, ledgerId, transactionId), ledgerId),
    transactions: (listing) => boundedOf(listing, (through) => view.transactions({ ...listing, through })),
    openHolds: (listing) => boundedOf(listing, (through) => view.openHolds({ ...listing, through })),
    entries: (listing) => boundedOf(listing, (through) => view.entries({ ...listing, through })),
    statement: (query) => boundedOf(query, (through) => view.statement({ ...query, through })),
  }));
}

export function wholeReports(generations: Generations<ReportsView>): Generations<WholeReports> {
  return each(generations, (view): WholeReports => ({
    ...readable(view),
    id: view.id,
    store: view.store,
    trialBalance: (query) => boundedOf(query, (through) => view.trialBalance({ ...query, through })),
    volume: (query) => boundedOf(query, (through) => view.volume({ ...query, through })),
    declines: (query) => boundedOf(query, (through) => view.declines({ ...query, through })),
    cashFlow: (query) => boundedOf(query, (through) => view.cashFlow({ ...query, through })),
    rank: (query) => boundedOf(query, (through) => view.rank({ ...query, through })),
  }));
}

function each<V, W>(generations: Generations<V>, wrap: (view: V) => W): Generations<W> {
  return { current: async () => wrap(await generations.current()) };
}

function readable(view: ReadableView): ReadableView {
  return { id: view.id, generation: view.generation, checkpoint: (partition) => view.checkpoint(partition) };
}

/** One account or one transaction may be beyond what the answer is as of. */
function whole<T>(read: Read<T>, ledgerId: string): Read<T> {
  const asOf = wholeUpTo(read.asOf, ledgerId);
  return asOf === read.asOf ? read : { value: read.value, asOf };
}

function boundedOf<T>(
  { ledgerId, through }: Bounded,
  read: (through: bigint | null) => Promise<Read<T>>,
): Promise<Read<T>> {
  return bounded(through, (checkpoint) => wholeUpTo(checkpoint, ledgerId), read);
}

async function bounded<T>(
  through: bigint | null,
  wholeOf: (checkpoint: Checkpoint) => Checkpoint,
  read: (through: bigint | null) => Promise<Read<T>>,
): Promise<Read<T>> {
  const first = await read(through);
  const asOf = wholeOf(first.asOf);
  if (asOf === first.asOf) return first;
  if (through !== null && through <= asOf.position) return { value: first.value, asOf };
  // What is parked later lies beyond this position, and what was parked before it may only be applied meanwhile.
  const { value } = await read(asOf.position);
  return { value, asOf };
}
