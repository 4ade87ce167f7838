/**
 * All canonical rows of a ledger, in the order that costs least: each pack is read once for all that its records say. In the
 * order of keys it is read for each kind of row, and again for each page that begins within it.
 */
import type { ViewRow } from '../../view.js';
import { declineRow, entryRow, volumeRow } from '../rows.js';
import type { PackCursor } from './pack.js';
import { type LedgerNumber, recordsFrom } from './records.js';
import { type AccountRow, accountsOf, commonOf, nextLedger, type SumSection, sums } from './rows.js';
import type { ReportStore } from './standing.js';

const SUM_SECTIONS: readonly SumSection[] = ['sum-decline', 'sum-entry', 'sum-volume'];
/** Of a sealed ledger each has 1,024 records. */
const PACKS_PER_PAGE = 16;
/** Records per piece; a payment has three rows. */
const RECORDS_PER_PIECE = 250;
/** Each page sums up what is not sealed once more. */
const SUMS_PER_PAGE = 10_000;
/** Accounts that are kept; some 20 MB. */
const KNOWN_ACCOUNTS = 100_000;

/** @see View.scan */
export async function* scanRows(store: ReportStore, ledgerId: string): AsyncGenerator<readonly ViewRow[]> {
  const ledger = await nextLedger(store, ledgerId, true);
  if (ledger === undefined) return;
  yield* rowsOfRecords(store, ledger);
  for (const section of SUM_SECTIONS) yield* rowsOfSums(store, ledger, section);
}

async function* rowsOfSums(
  store: ReportStore,
  ledger: LedgerNumber,
  section: SumSection,
): AsyncGenerator<readonly ViewRow[]> {
  const begin = `${ledger.ledger_id} ${section} `.length;
  for (let after = ''; ;) {
    const rows = await sums(store, ledger, section, after, SUMS_PER_PAGE);
    yield rows;
    const last = rows.at(-1);
    if (last === undefined || rows.length < SUMS_PER_PAGE) return;
    after = last.key.slice(begin);
  }
}

/** An entry whose account has not been looked up. */
type NumberedEntry = Omit<Parameters<typeof entryRow>[0], 'accountId' | 'type' | 'currency'> & {
  readonly account: number;
};

async function* rowsOfRecords(store: ReportStore, ledger: LedgerNumber): AsyncGenerator<readonly ViewRow[]> {
  const accounts = new KnownAccounts(store);
  let rows: ViewRow[] = [];
  let entries: NumberedEntry[] = [];
  let records = 0;
  for await (const cursor of recordsFrom(store, ledger, 0n, PACKS_PER_PAGE)) {
    addRecord(cursor, ledger, rows, entries);
    records += 1;
    if (records < RECORDS_PER_PIECE) continue;
    yield [...rows, ...(await accounts.rowsOf(entries))];
    rows = [];
    entries = [];
    records = 0;
  }
  yield [...rows, ...(await accounts.rowsOf(entries))];
}

function addRecord(
  cursor: PackCursor,
  ledger: LedgerNumber,
  rows: ViewRow[],
  entries: NumberedEntry[],
): void {
  const common = commonOf(cursor, ledger);
  const { what } = cursor;
  if (cursor.isDecline) {
    const { currency, principal } = cursor;
    rows.push(declineRow({ ...common, reason: what, currency, principal }));
    return;
  }
  const { ledgerId, position, effectiveTime, recordedTime } = common;
  for (let index = 0; index < cursor.entries; index += 1) {
    const [account, amount] = [cursor.account(index), cursor.amount(index)];
    entries.push({ ledgerId, position, index, account, kind: what, amount, effectiveTime, recordedTime });
  }
  for (const { currency, principal } of cursor.volumes()) {
    rows.push(
      volumeRow({ ledgerId, position, currency, kind: what, principal, effectiveTime, recordedTime }),
    );
  }
}

/** The rows of accounts, which never change. */
class KnownAccounts {
  readonly #store: ReportStore;
  #known = new Map<number, AccountRow>();

  constructor(store: ReportStore) {
    this.#store = store;
  }

  async rowsOf(entries: readonly NumberedEntry[]): Promise<readonly ViewRow[]> {
    if (this.#known.size > KNOWN_ACCOUNTS) this.#known = new Map();
    const unknown = new Set<number>();
    for (const { account } of entries) if (!this.#known.has(account)) unknown.add(account);
    if (unknown.size > 0) {
      for (const [account, row] of await accountsOf(this.#store, [...unknown])) this.#known.set(account, row);
    }
    return entries.map((entry) => {
      const account = this.#known.get(entry.account);
      if (account === undefined) throw new Error('an account of the reports has no row');
      const { account_id: accountId, type, currency } = account;
      return entryRow({ ...entry, accountId, type, currency });
    });
  }
}
