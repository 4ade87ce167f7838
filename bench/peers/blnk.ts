/** Blnk, by its HTTP API: transactions that skip the queue, so that an answer means stored. */
import { randomUUID } from 'node:crypto';
import { post, textOf } from './http.js';
import { FUNDS, ledgerOfRun, type Payment, type Peer, portions } from './peer.js';

const AT_ONCE = 16;
const PER_CALL = 100;

/** @param base such as `http://localhost:5001` */
export function blnk(base: string): Peer {
  let balances: string[] = [];
  const moving = (source: string, destination: string, minorUnits: number) => ({
    amount: minorUnits / 100,
    precision: 100,
    currency: 'EUR',
    reference: randomUUID(),
    description: 'bench',
    source,
    destination,
    allow_overdraft: source.startsWith('@'),
    skip_queue: true,
  });
  const bulk = async (transactions: readonly ReturnType<typeof moving>[]) => {
    await post(base, '/transactions/bulk', {
      atomic: false,
      inflight: false,
      skip_queue: true,
      transactions,
    });
  };
  const paid = ({ payer, payee }: Payment) => moving(balances[payer] ?? '', balances[payee] ?? '', 1);
  return {
    name: 'Blnk',
    note: 'HTTP; PostgreSQL and Redis; skip_queue',
    prepare: async (accounts) => {
      const ledger_id = textOf(await post(base, '/ledgers', { name: ledgerOfRun() }), 'ledger_id');
      const open = async () =>
        textOf(await post(base, '/balances', { ledger_id, currency: 'EUR' }), 'balance_id');
      balances = [];
      for (const numbers of portions(accounts, AT_ONCE)) {
        balances.push(...(await Promise.all(numbers.map(open))));
      }
      for (const numbers of portions(accounts, PER_CALL)) {
        await bulk(numbers.map((n) => moving('@bench', balances[n] ?? '', FUNDS)));
      }
    },
    pay: async (payment) => {
      await post(base, '/transactions', paid(payment));
    },
    payMany: (payments) => bulk(payments.map(paid)),
    close: () => Promise.resolve(),
  };
}
