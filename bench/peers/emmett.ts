/**
 * Emmett on PostgreSQL: it has no ledger, so that a payment is one event appended to a stream of its own. Nothing is
 * decided and no balance is kept: it is what an event store alone costs.
 */
import { randomUUID } from 'node:crypto';
import { installed } from './installed.js';
import type { Peer } from './peer.js';

/** What is used of the package. */
interface EmmettPostgres {
  getPostgreSQLEventStore(connectionString: string): {
    appendToStream(
      stream: string,
      events: readonly { readonly type: string; readonly data: unknown }[],
      options: { readonly expectedStreamVersion: string },
    ): Promise<unknown>;
    readonly schema: { migrate(): Promise<unknown> };
    close(): Promise<void>;
  };
}

/** @param connectionString of a PostgreSQL database of its own */
export function emmett(connectionString: string): Peer {
  // The interface above is the part of the pinned version that is used.
  const { getPostgreSQLEventStore } = installed('@event-driven-io/emmett-postgresql') as EmmettPostgres;
  const store = getPostgreSQLEventStore(connectionString);
  return {
    name: 'Emmett',
    note: 'in this process, on PostgreSQL; a bare append, nothing is decided',
    prepare: async () => {
      await store.schema.migrate();
    },
    pay: async ({ payer, payee }) => {
      const id = randomUUID();
      const data = { id, payer: `account-${String(payer)}`, payee: `account-${String(payee)}`, amount: 1 };
      await store.appendToStream(`payment-${id}`, [{ type: 'PaymentSubmitted', data }], {
        expectedStreamVersion: 'STREAM_DOES_NOT_EXIST',
      });
    },
    payMany: undefined,
    close: () => store.close(),
  };
}
