/** What applying a batch writes to PostgreSQL, within the transaction that moves the checkpoint. */
import { LRUCache } from 'lru-cache';
import type { PoolClient } from '../../log/postgres-client.js';
import type { RecordedEvent } from '../../platform/bus.js';
import { int2Array, int4Array, int8Array, textArray } from '../../log/postgres-arrays.js';
import { type DeclineFact, type PostingFact, reportFacts } from './fold.js';
import {
  accountNumbersSql,
  insertDeclinesSql,
  insertFurtherVolumesSql,
  insertPostingsSql,
  ledgerNumbersSql,
} from './sql/write.sql.js';

/** Accounts whose numbers are kept in memory; some 15 MB. */
const KNOWN_ACCOUNTS = 100_000;

interface NewAccount {
  readonly ledger: number;
  readonly accountId: string;
  readonly type: number;
  readonly currency: string;
}

/** Writes batches of one generation. */
export class ReportWriter {
  readonly #schema: string;
  readonly #ledgers = new Map<string, number>();
  readonly #accounts = new LRUCache<string, number>({ max: KNOWN_ACCOUNTS });

  constructor(schema: string) {
    this.#schema = schema;
  }

  /** Forgets what is in memory: after a transaction that did not commit. */
  reset(): void {
    this.#ledgers.clear();
    this.#accounts.clear();
  }

  /** Writes what events beyond the checkpoint say. */
  async write(client: PoolClient, partition: number, events: readonly RecordedEvent[]): Promise<void> {
    const { postings, declines } = reportFacts(events);
    if (postings.length + declines.length > 0) {
      await this.#learnLedgers(client, partition, [...postings, ...declines]);
    }
    if (postings.length > 0) await this.#insertPostings(client, postings);
    if (declines.length > 0) await this.#insertDeclines(client, declines);
  }

  async #insertPostings(client: PoolClient, postings: readonly PostingFact[]): Promise<void> {
    const entries = await this.#numberedEntries(client, postings);
    let end = 0;
    const ends = postings.map((posting) => (end += posting.entries.length));
    await this.#run(client, 'insert_postings', insertPostingsSql, [
      int8Array(postings.map(({ position }) => position)),
      int8Array(postings.map(({ effectiveTime }) => effectiveTime)),
      int8Array(postings.map(({ recordedTime }) => recordedTime)),
      int8Array(postings.map(({ volumes }) => volumes[0]?.principal ?? 0n)),
      int4Array(postings.map(({ ledgerId }) => this.#ledgerOf(ledgerId))),
      int2Array(postings.map(({ kind }) => kind)),
      textArray(postings.map(({ volumes }) => volumes[0]?.currency ?? '')),
      int4Array(ends),
      int4Array(entries.accounts),
      int8Array(entries.amounts),
    ]);
    await this.#insertFurtherVolumes(client, postings);
  }

  async #insertFurtherVolumes(client: PoolClient, postings: readonly PostingFact[]): Promise<void> {
    const rows = postings.flatMap((posting) =>
      posting.volumes.slice(1).map((volume) => ({ ...posting, ...volume })),
    );
    if (rows.length === 0) return;
    await this.#run(client, 'insert_further_volumes', insertFurtherVolumesSql, [
      int8Array(rows.map(({ position }) => position)),
      int8Array(rows.map(({ effectiveTime }) => effectiveTime)),
      int8Array(rows.map(({ recordedTime }) => recordedTime)),
      int4Array(rows.map(({ ledgerId }) => this.#ledgerOf(ledgerId))),
      int2Array(rows.map(({ kind }) => kind)),
      textArray(rows.map(({ currency }) => currency)),
      `{${rows.map(({ principal }) => principal).join(',')}}`,
    ]);
  }

  async #insertDeclines(client: PoolClient, declines: readonly DeclineFact[]): Promise<void> {
    await this.#run(client, 'insert_declines', insertDeclinesSql, [
      int8Array(declines.map(({ position }) => position)),
      int8Array(declines.map(({ recordedTime }) => recordedTime)),
      int8Array(declines.map(({ principal }) => principal)),
      int4Array(declines.map(({ ledgerId }) => this.#ledgerOf(ledgerId))),
      int2Array(declines.map(({ reason }) => reason)),
      textArray(declines.map(({ currency }) => currency)),
    ]);
  }

  async #learnLedgers(
    client: PoolClient,
    partition: number,
    facts: readonly { readonly ledgerId: string }[],
  ): Promise<void> {
    const wanted = new Set<string>();
    for (const { ledgerId } of facts) if (!this.#ledgers.has(ledgerId)) wanted.add(ledgerId);
    if (wanted.size === 0) return;
    const { rows } = await client.query<{ ledger: number; ledger_id: string }>(
      ledgerNumbersSql(this.#schema),
      [textArray([...wanted].sort()), partition],
    );
    for (const { ledger, ledger_id } of rows) this.#ledgers.set(ledger_id, ledger);
  }

  /** The entries of all postings, one after the other, with the numbers of their accounts. */
  async #numberedEntries(
    client: PoolClient,
    postings: readonly PostingFact[],
  ): Promise<{ accounts: number[]; amounts: bigint[] }> {
    const keys: string[] = [];
    const amounts: bigint[] = [];
    const accounts: number[] = [];
    const wanted = new Map<string, NewAccount>();
    for (const { ledgerId, entries } of postings) {
      const ledger = this.#ledgerOf(ledgerId);
      for (const { accountId, type, currency, amount } of entries) {
        const key = keyOf(ledger, accountId);
        const number = this.#accounts.get(key);
        if (number === undefined) wanted.set(key, { ledger, accountId, type, currency });
        keys.push(key);
        accounts.push(number ?? 0);
        amounts.push(amount);
      }
    }
    if (wanted.size > 0) {
      // A batch may touch more accounts than memory keeps, so it does not look for them there.
      const found = await this.#learnAccounts(client, wanted);
      for (const [at, key] of keys.entries()) {
        if (accounts[at] === 0) accounts[at] = known(found.get(key));
      }
    }
    return { accounts, amounts };
  }

  async #learnAccounts(
    client: PoolClient,
    wanted: ReadonlyMap<string, NewAccount>,
  ): Promise<Map<string, number>> {
    const sorted = [...wanted].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, account]) => account);
    const { rows } = await client.query<{ account: number; ledger: number; account_id: string }>({
      name: `${this.#schema}.account_numbers`,
      text: accountNumbersSql(this.#schema),
      values: [
        int4Array(sorted.map(({ ledger }) => ledger)),
        textArray(sorted.map(({ accountId }) => accountId)),
        int2Array(sorted.map(({ type }) => type)),
        textArray(sorted.map(({ currency }) => currency)),
      ],
    });
    const found = new Map<string, number>();
    for (const { account, ledger, account_id } of rows) {
      const key = keyOf(ledger, account_id);
      found.set(key, account);
      this.#accounts.set(key, account);
    }
    return found;
  }

  #ledgerOf(ledgerId: string): number {
    return known(this.#ledgers.get(ledgerId));
  }

  async #run(
    client: PoolClient,
    name: string,
    sql: (schema: string) => string,
    values: unknown[],
  ): Promise<void> {
    await client.query({ name: `${this.#schema}.${name}`, text: sql(this.#schema), values });
  }
}

function keyOf(ledger: number, accountId: string): string {
  return `${String(ledger)} ${accountId}`;
}

function known(number: number | undefined): number {
  if (number === undefined) throw new Error('a ledger or account of the batch has no number');
  return number;
}
