/** TigerBeetle, by its own client for Node. A transfer without pending fields is a payment. */
import { StartError } from '../../lib/base/start-error.js';
import { installed } from './installed.js';
import { FUNDS, type Payment, type Peer, portions } from './peer.js';

/** What is used of the package. */
interface TigerBeetle {
  createClient(args: { readonly cluster_id: bigint; readonly replica_addresses: readonly string[] }): {
    createAccounts(batch: readonly object[]): Promise<readonly Result[]>;
    createTransfers(batch: readonly object[]): Promise<readonly Result[]>;
    destroy(): void;
  };
  id(): bigint;
  readonly AccountFlags: { readonly debits_must_not_exceed_credits: number };
  readonly CreateAccountStatus: { readonly created: number };
  readonly CreateTransferStatus: { readonly created: number };
}

interface Result {
  readonly status: number;
}

const PER_CALL = 4_000;
const LEDGER = 978;
const CODE = 1;
const NO_USER_DATA = { user_data_128: 0n, user_data_64: 0n, user_data_32: 0 };

/** @param addresses of the replicas, separated by commas */
export function tigerbeetle(addresses: string): Peer {
  // The interface above is the part of the pinned version that is used.
  const package_ = installed('tigerbeetle-node') as TigerBeetle;
  const client = package_.createClient({ cluster_id: 0n, replica_addresses: addresses.split(',') });
  const accounts: bigint[] = [];
  const source = package_.id();
  const requireAll = (results: readonly Result[], created: number) => {
    const failed = results.find(({ status }) => status !== created);
    if (failed !== undefined)
      throw new StartError(`TigerBeetle refuses with status ${String(failed.status)}`);
  };
  const move = async (transfers: readonly object[]) => {
    requireAll(await client.createTransfers(transfers), package_.CreateTransferStatus.created);
  };
  const transfer = (from: bigint, to: bigint, amount: bigint) => transferOf(package_.id(), from, to, amount);
  const paid = ({ payer, payee }: Payment) => transfer(accounts[payer] ?? 0n, accounts[payee] ?? 0n, 1n);
  return {
    name: 'TigerBeetle',
    note: 'its own protocol; its client gathers calls into batches',
    prepare: async (count) => {
      const { created } = package_.CreateAccountStatus;
      requireAll(await client.createAccounts([accountOf(source, 0)]), created);
      const { debits_must_not_exceed_credits: funded } = package_.AccountFlags;
      for (const numbers of portions(count, PER_CALL)) {
        const opened = numbers.map(() => package_.id());
        accounts.push(...opened);
        requireAll(await client.createAccounts(opened.map((id) => accountOf(id, funded))), created);
        await move(opened.map((id) => transfer(source, id, BigInt(FUNDS))));
      }
    },
    pay: (payment) => move([paid(payment)]),
    payMany: (payments) => move(payments.map(paid)),
    close: () => {
      client.destroy();
      return Promise.resolve();
    },
  };
}

function accountOf(id: bigint, flags: number): object {
  return {
    id,
    debits_pending: 0n,
    debits_posted: 0n,
    credits_pending: 0n,
    credits_posted: 0n,
    ...NO_USER_DATA,
    reserved: 0,
    ledger: LEDGER,
    code: CODE,
    flags,
    timestamp: 0n,
  };
}

function transferOf(id: bigint, debit_account_id: bigint, credit_account_id: bigint, amount: bigint): object {
  return {
    id,
    debit_account_id,
    credit_account_id,
    amount,
    pending_id: 0n,
    ...NO_USER_DATA,
    timeout: 0,
    ledger: LEDGER,
    code: CODE,
    flags: 0,
    timestamp: 0n,
  };
}
