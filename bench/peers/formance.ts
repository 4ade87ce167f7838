/** Formance Ledger v2, by its HTTP API: a transaction of one posting, and `_bulk`. */
import { randomUUID } from 'node:crypto';
import { post } from './http.js';
import { FUNDS, ledgerOfRun, type Payment, type Peer, portions } from './peer.js';

const PER_CALL = 500;

/** @param base such as `http://localhost:3068` */
export function formance(base: string): Peer {
  const ledger = `/v2/${ledgerOfRun()}`;
  const account = (n: number) => `accounts:${String(n)}`;
  const moving = (source: string, destination: string, amount: number) => ({
    postings: [{ source, destination, amount, asset: 'EUR/2' }],
    reference: randomUUID(),
    metadata: {},
  });
  const bulk = async (transactions: readonly ReturnType<typeof moving>[]) => {
    const elements = transactions.map((data) => ({ action: 'CREATE_TRANSACTION', ik: data.reference, data }));
    await post(base, `${ledger}/_bulk`, elements);
  };
  const paid = ({ payer, payee }: Payment) => moving(account(payer), account(payee), 1);
  return {
    name: 'Formance Ledger v2',
    note: 'HTTP; PostgreSQL',
    prepare: async (accounts) => {
      await post(base, ledger, {});
      for (const numbers of portions(accounts, PER_CALL)) {
        await bulk(numbers.map((n) => moving('world', account(n), FUNDS)));
      }
    },
    pay: async (payment) => {
      const transaction = paid(payment);
      await post(base, `${ledger}/transactions`, transaction, { 'Idempotency-Key': transaction.reference });
    },
    payMany: (payments) => bulk(payments.map(paid)),
    close: () => Promise.resolve(),
  };
}
