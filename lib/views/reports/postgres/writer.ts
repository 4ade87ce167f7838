/** What a batch of events writes to the reports view in PostgreSQL. */
import { LRUCache } from 'lru-cache';
import type { QueryResultRow } from 'pg';
import type { PoolClient } from '../../../log/postgres-client.js';
import type { RecordedEvent } from '../../../log/recorded-event.js';
import { int2Array, int4Array, int8Array, textArray } from '../../../log/postgres-arrays.js';
import { transact } from '../../stores/postgres/generations.js';
import type { TableWrite } from '../../stores/postgres/table-write.js';
import { type DeclineFact, type PostingFact, reportFacts } from '../fold.js';
import {
  accountNumbersSql,
  beginNumbers,
  ledgerNumbersSql,
  lockNumbers,
  type ReportStatements,
  reportStatements,
} from './sql/write.sql.js';

/** Accounts whose numbers are kept in memory; some 15 MB. */
const KNOWN_ACCOUNTS = 100_000;

/** One after the other, for all postings of a batch. */
interface NumberedEntries {
  readonly ledgers: ReadonlyMap<string, number>;
  readonly accounts: number[];
  readonly amounts: bigint[];
}

interface NewAccount {
  readonly ledger: number;
  readonly accountId: string;
  readonly type: number;
  readonly currency: string;
}

/** Of one generation. */
export class ReportWriter {
  readonly #schema: string;
  readonly #statements: ReportStatements;
  /** Replaced when it is forgotten: a batch under way goes on with the one that it began with. */
  #ledgers = new Map<string, number>();
  readonly #accounts = new LRUCache<string, number>({ max: KNOWN_ACCOUNTS });

  constructor(schema: string) {
    this.#schema = schema;
    this.#statements = reportStatements(schema);
  }

  /** Forgets what is in memory: the database may have gone back behind it. */
  reset(): void {
    this.#ledgers = new Map();
    this.#accounts.clear();
  }

  /** What events beyond the checkpoint write. Ledgers and accounts that are new get their numbers before. */
  async writesOf(
    events: readonly RecordedEvent[],
    client: PoolClient,
    partition: number,
  ): Promise<readonly TableWrite[]> {
    const { postings, declines } = reportFacts(events);
    const numbered = await this.#numberedEntries(client, partition, postings, declines);
    const further = postings.flatMap((posting) =>
      posting.volumes.slice(1).map((volume) => ({ ...posting, ...volume })),
    );
    const statements = this.#statements;
    return [
      {
        statement: statements.postings,
        count: postings.length,
        values: postingValues(postings, numbered),
      },
      {
        statement: statements.furtherVolumes,
        count: further.length,
        values: furtherValues(further, numbered),
      },
      {
        statement: statements.declines,
        count: declines.length,
        values: declineValues(declines, numbered),
      },
    ];
  }

  /** The entries of all postings, one after the other, with the numbers of their accounts. */
  async #numberedEntries(
    client: PoolClient,
    partition: number,
    postings: readonly PostingFact[],
    declines: readonly DeclineFact[],
  ): Promise<NumberedEntries> {
    const ledgers = this.#ledgers;
    const ledgerIds = new Set<string>();
    for (const { ledgerId } of [...postings, ...declines])
      if (!ledgers.has(ledgerId)) ledgerIds.add(ledgerId);
    if (ledgerIds.size > 0) await this.#learnLedgers(client, partition, ledgerIds, ledgers);
    const keys: string[] = [];
    const amounts: bigint[] = [];
    const accounts: number[] = [];
    const wanted = new Map<string, NewAccount>();
    for (const { ledgerId, entries } of postings) {
      const ledger = known(ledgers.get(ledgerId));
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
      const found = await this.#learnAccounts(client, partition, wanted);
      for (const [at, key] of keys.entries()) {
        if (accounts[at] === 0) accounts[at] = known(found.get(key));
      }
    }
    return { ledgers, accounts, amounts };
  }

  async #learnLedgers(
    client: PoolClient,
    partition: number,
    wanted: ReadonlySet<string>,
    ledgers: Map<string, number>,
  ): Promise<void> {
    const { rows } = await this.#number<{ ledger: number; ledger_id: string }>(
      client,
      partition,
      ledgerNumbersSql(this.#schema),
      [textArray([...wanted].sort()), partition],
    );
    for (const { ledger, ledger_id } of rows) ledgers.set(ledger_id, ledger);
  }

  async #learnAccounts(
    client: PoolClient,
    partition: number,
    wanted: ReadonlyMap<string, NewAccount>,
  ): Promise<Map<string, number>> {
    const sorted = [...wanted].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, account]) => account);
    const { rows } = await this.#number<{ account: number; ledger: number; account_id: string }>(
      client,
      partition,
      accountNumbersSql(this.#schema),
      [
        int4Array(sorted.map(({ ledger }) => ledger)),
        textArray(sorted.map(({ accountId }) => accountId)),
        int2Array(sorted.map(({ type }) => type)),
        textArray(sorted.map(({ currency }) => currency)),
      ],
    );
    const found = new Map<string, number>();
    for (const { account, ledger, account_id } of rows) {
      const key = keyOf(ledger, account_id);
      found.set(key, account);
      this.#accounts.set(key, account);
    }
    return found;
  }

  /**
   * In a transaction of its own, which no other of the partition overlaps: each sees the numbers that were
   * given before.
   */
  #number<R extends QueryResultRow>(client: PoolClient, partition: number, text: string, values: unknown[]) {
    return transact(client, beginNumbers, async () => {
      await client.query(lockNumbers(this.#schema), [partition]);
      return client.query<R>(text, values);
    });
  }
}

function postingValues(
  postings: readonly PostingFact[],
  { ledgers, accounts, amounts }: NumberedEntries,
): unknown[] {
  let end = 0;
  const ends = postings.map((posting) => (end += posting.entries.length));
  return [
    int8Array(postings.map(({ position }) => position)),
    int8Array(postings.map(({ effectiveTime }) => effectiveTime)),
    int8Array(postings.map(({ recordedTime }) => recordedTime)),
    int8Array(postings.map(({ volumes }) => volumes[0]?.principal ?? 0n)),
    int4Array(postings.map(({ ledgerId }) => known(ledgers.get(ledgerId)))),
    int2Array(postings.map(({ kind }) => kind)),
    textArray(postings.map(({ volumes }) => volumes[0]?.currency ?? '')),
    int4Array(ends),
    int4Array(accounts),
    int8Array(amounts),
  ];
}

function furtherValues(
  rows: readonly (PostingFact & PostingFact['volumes'][number])[],
  { ledgers }: NumberedEntries,
): unknown[] {
  return [
    int8Array(rows.map(({ position }) => position)),
    int8Array(rows.map(({ effectiveTime }) => effectiveTime)),
    int8Array(rows.map(({ recordedTime }) => recordedTime)),
    int4Array(rows.map(({ ledgerId }) => known(ledgers.get(ledgerId)))),
    int2Array(rows.map(({ kind }) => kind)),
    textArray(rows.map(({ currency }) => currency)),
    `{${rows.map(({ principal }) => principal).join(',')}}`,
  ];
}

function declineValues(declines: readonly DeclineFact[], { ledgers }: NumberedEntries): unknown[] {
  return [
    int8Array(declines.map(({ position }) => position)),
    int8Array(declines.map(({ recordedTime }) => recordedTime)),
    int8Array(declines.map(({ principal }) => principal)),
    int4Array(declines.map(({ ledgerId }) => known(ledgers.get(ledgerId)))),
    int2Array(declines.map(({ reason }) => reason)),
    textArray(declines.map(({ currency }) => currency)),
  ];
}

function keyOf(ledger: number, accountId: string): string {
  return `${String(ledger)} ${accountId}`;
}

function known(number: number | undefined): number {
  if (number === undefined) throw new Error('a ledger or account of the batch has no number');
  return number;
}
