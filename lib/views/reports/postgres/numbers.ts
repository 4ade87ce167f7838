/** The numbers of ledgers and accounts in the reports view in PostgreSQL. */
import type * as log from '../../../../gen/quittance/event/v1/event_pb.js';
import { int2Array, int4Array, textArray } from '../../../log/postgres-arrays.js';
import type { PoolClient } from '../../../log/postgres-client.js';
import { transact } from '../../stores/postgres/generations.js';
import { RecentNumbers } from '../../stores/postgres/recent-numbers.js';
import {
  addAccountsSql,
  addLedgersSql,
  beginNumbers,
  knownAccountsSql,
  knownLedgersSql,
  lockNumbers,
} from './sql/write.sql.js';

/** Accounts whose numbers are kept in memory; some 15 MB. */
const KNOWN_ACCOUNTS = 100_000;

/** The numbers that the movements of a batch need. */
export interface BatchNumbers {
  readonly ledgers: ReadonlyMap<string, number>;
  /** One for each account of each posting, in the order of the movements and of their accounts. */
  readonly accounts: readonly number[];
}

/** An event that moved money, or should have. */
export interface Movement {
  readonly event: log.Event;
  /** What was posted; undefined if it was declined. */
  readonly posted: log.TransactionPosted | undefined;
}

interface WantedAccount {
  readonly ledger: number;
  readonly accountId: string;
  readonly type: number;
  readonly currency: string;
}

/** Of one generation. */
export class ReportNumbers {
  readonly #schema: string;
  /** Replaced when it is forgotten: a batch under way goes on with the one that it began with. */
  #ledgers = new Map<string, number>();
  readonly #accounts = new RecentNumbers(KNOWN_ACCOUNTS);

  constructor(schema: string) {
    this.#schema = schema;
  }

  /** Forgets what is in memory: the database may have gone back behind it. */
  reset(): void {
    this.#ledgers = new Map();
    this.#accounts.clear();
  }

  /** The numbers for some movements. Ledgers and accounts that have none get theirs. */
  async of(client: PoolClient, partition: number, movements: readonly Movement[]): Promise<BatchNumbers> {
    const ledgers = this.#ledgers;
    const missing = new Set<string>();
    for (const { event } of movements) if (!ledgers.has(event.ledgerId)) missing.add(event.ledgerId);
    if (missing.size > 0) await this.#learnLedgers(client, partition, [...missing].sort(), ledgers);
    const accounts: number[] = [];
    const wanted = new Map<string, WantedAccount>();
    // Where each wanted account stands among the numbers.
    const gaps: { readonly at: number; readonly key: string }[] = [];
    for (const { event, posted } of movements) {
      if (posted === undefined) continue;
      const ledger = known(ledgers.get(event.ledgerId));
      for (const { accountId, type, currency } of posted.accounts) {
        const key = keyOf(ledger, accountId);
        const number = this.#accounts.get(key);
        if (number === undefined) {
          wanted.set(key, { ledger, accountId, type, currency });
          gaps.push({ at: accounts.length, key });
        }
        accounts.push(number ?? 0);
      }
    }
    if (wanted.size > 0) {
      // A batch may touch more accounts than memory keeps, so it does not look for them there.
      const found = await this.#learnAccounts(client, partition, wanted);
      for (const { at, key } of gaps) accounts[at] = known(found.get(key));
    }
    return { ledgers, accounts };
  }

  async #learnLedgers(
    client: PoolClient,
    partition: number,
    wanted: readonly string[],
    ledgers: Map<string, number>,
  ): Promise<void> {
    const ids = textArray(wanted);
    const look = async () => {
      const { rows } = await client.query<{ ledger: number; ledger_id: string }>(
        knownLedgersSql(this.#schema),
        [ids],
      );
      for (const { ledger, ledger_id } of rows) ledgers.set(ledger_id, ledger);
    };
    await look();
    if (wanted.every((ledgerId) => ledgers.has(ledgerId))) return;
    await this.#add(client, partition, addLedgersSql(this.#schema), [ids, partition]);
    await look();
  }

  async #learnAccounts(
    client: PoolClient,
    partition: number,
    wanted: ReadonlyMap<string, WantedAccount>,
  ): Promise<Map<string, number>> {
    const found = await this.#knownAccounts(client, wanted);
    if (found.size === wanted.size) return found;
    const missing = new Map([...wanted].filter(([key]) => !found.has(key)));
    const sorted = [...missing].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, account]) => account);
    await this.#add(client, partition, addAccountsSql(this.#schema), [
      int4Array(sorted.map(({ ledger }) => ledger)),
      textArray(sorted.map(({ accountId }) => accountId)),
      int2Array(sorted.map(({ type }) => type)),
      textArray(sorted.map(({ currency }) => currency)),
    ]);
    for (const [key, number] of await this.#knownAccounts(client, missing)) found.set(key, number);
    return found;
  }

  async #knownAccounts(
    client: PoolClient,
    wanted: ReadonlyMap<string, WantedAccount>,
  ): Promise<Map<string, number>> {
    const asked = [...wanted.values()];
    const { rows } = await client.query<[account: number, place: number]>({
      name: `${this.#schema}.known_accounts`,
      text: knownAccountsSql(this.#schema),
      values: [
        int4Array(asked.map(({ ledger }) => ledger)),
        textArray(asked.map(({ accountId }) => accountId)),
      ],
      rowMode: 'array',
    });
    const keys = [...wanted.keys()];
    const found = new Map<string, number>();
    for (const [account, place] of rows) {
      const key = keys[place - 1] ?? '';
      found.set(key, account);
      this.#accounts.set(key, account);
    }
    return found;
  }

  /**
   * In a transaction of its own, which no other of the partition overlaps: each sees the numbers that were
   * given before.
   */
  async #add(client: PoolClient, partition: number, text: string, values: unknown[]): Promise<void> {
    await transact(client, beginNumbers, async () => {
      await client.query(lockNumbers(this.#schema), [partition]);
      await client.query(text, values);
    });
  }
}

function keyOf(ledger: number, accountId: string): string {
  return `${String(ledger)} ${accountId}`;
}

/** @throws Error if there is none */
export function known(number: number | undefined): number {
  if (number === undefined) throw new Error('a ledger or account of the batch has no number');
  return number;
}
