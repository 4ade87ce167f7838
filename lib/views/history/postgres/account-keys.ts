/**
 * The keys of ledgers and accounts: the positions of the events that made them. They never change, so that
 * what is in memory is right as long as the log is the same one.
 */
import type { PoolClient } from '../../../log/postgres-client.js';
import { textArray } from '../../../log/postgres-arrays.js';
import { MissingEntityError } from '../../view-errors.js';
import { readAccountKeys, readLedgerKeys } from './sql/write.sql.js';

/** How many accounts one of the two generations of the cache holds; both together take some 20 MB. */
const ACCOUNTS_PER_GENERATION = 100_000;

interface LedgerKeys {
  /** Undefined: not known. */
  key: bigint | undefined;
  readonly accounts: Map<string, bigint>;
}

/** An account by its ids. */
export interface AccountName {
  readonly ledgerId: string;
  readonly accountId: string;
}

/**
 * A bounded cache. When the younger of its two generations is full it becomes the older one, and the older
 * one goes: an account that is used stays.
 */
export class AccountKeys {
  readonly #generationSize: number;
  #young = new Map<string, LedgerKeys>();
  #old = new Map<string, LedgerKeys>();
  #youngCount = 0;

  constructor(generationSize = ACCOUNTS_PER_GENERATION) {
    this.#generationSize = generationSize;
  }

  /** The key of a ledger; undefined if it is not in memory. */
  ledger(ledgerId: string): bigint | undefined {
    const key = this.#young.get(ledgerId)?.key;
    if (key !== undefined) return key;
    const older = this.#old.get(ledgerId)?.key;
    if (older !== undefined) this.setLedger(ledgerId, older);
    return older;
  }

  /** The key of an account; undefined if it is not in memory. */
  account(ledgerId: string, accountId: string): bigint | undefined {
    const key = this.#young.get(ledgerId)?.accounts.get(accountId);
    if (key !== undefined) return key;
    const older = this.#old.get(ledgerId)?.accounts.get(accountId);
    if (older !== undefined) this.setAccount(ledgerId, accountId, older);
    return older;
  }

  setLedger(ledgerId: string, key: bigint): void {
    this.#of(ledgerId).key = key;
  }

  setAccount(ledgerId: string, accountId: string, key: bigint): void {
    const { accounts } = this.#of(ledgerId);
    const before = accounts.size;
    accounts.set(accountId, key);
    this.#count(accounts.size - before);
  }

  #of(ledgerId: string): LedgerKeys {
    let found = this.#young.get(ledgerId);
    if (found === undefined) {
      found = { key: undefined, accounts: new Map() };
      this.#young.set(ledgerId, found);
      // A ledger counts as an account does: there may be as many of them.
      this.#count(1);
    }
    return found;
  }

  #count(added: number): void {
    this.#youngCount += added;
    if (this.#youngCount <= this.#generationSize) return;
    this.#old = this.#young;
    this.#young = new Map();
    this.#youngCount = 0;
  }
}

/** What of the keys that a batch needs is not in memory. */
export class MissingKeys {
  readonly #ledgers = new Set<string>();
  readonly #accounts = new Map<string, AccountName>();

  get size(): number {
    return this.#ledgers.size + this.#accounts.size;
  }

  addLedger(ledgerId: string): void {
    this.#ledgers.add(ledgerId);
  }

  addAccount(ledgerId: string, accountId: string): void {
    this.#accounts.set(`${ledgerId} ${accountId}`, { ledgerId, accountId });
  }

  /** Reads them into the cache. @throws MissingEntityError if the view does not have one of them */
  async load(client: PoolClient, schema: string, keys: AccountKeys): Promise<void> {
    await this.#loadLedgers(client, schema, keys);
    await this.#loadAccounts(client, schema, keys);
  }

  async #loadLedgers(client: PoolClient, schema: string, keys: AccountKeys): Promise<void> {
    if (this.#ledgers.size === 0) return;
    const { rows } = await client.query<{ ledger_id: string; key: bigint }>({
      name: `${schema}.ledger keys`,
      text: readLedgerKeys(schema),
      values: [textArray([...this.#ledgers])],
    });
    for (const { ledger_id: ledgerId, key } of rows) {
      keys.setLedger(ledgerId, key);
      this.#ledgers.delete(ledgerId);
    }
    const [first] = this.#ledgers;
    if (first !== undefined) throw new MissingEntityError(`the ledger ${first}`);
  }

  async #loadAccounts(client: PoolClient, schema: string, keys: AccountKeys): Promise<void> {
    if (this.#accounts.size === 0) return;
    const names = [...this.#accounts.values()];
    const { rows } = await client.query<{ ledger_id: string; account_id: string; key: bigint }>({
      name: `${schema}.account keys`,
      text: readAccountKeys(schema),
      values: [
        textArray(names.map(({ ledgerId }) => ledgerId)),
        textArray(names.map(({ accountId }) => accountId)),
      ],
    });
    for (const { ledger_id: ledgerId, account_id: accountId, key } of rows) {
      keys.setAccount(ledgerId, accountId, key);
      this.#accounts.delete(`${ledgerId} ${accountId}`);
    }
    const [first] = this.#accounts.keys();
    if (first !== undefined) throw new MissingEntityError(`the account ${first}`);
  }
}
