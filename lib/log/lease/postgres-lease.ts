/** The lease of a shard in PostgreSQL. */
import type { Pool } from '../postgres-client.js';
import type { LeaseStore } from './lease.js';
import { readLease, releaseLease, renewLease, takeLease } from './lease.sql.js';

interface LeaseRow {
  readonly holder: string;
  readonly address: string;
  readonly term: bigint;
  readonly has_expired: boolean;
}

/** The pool is from createPool; one connection is enough. */
export function postgresLease(pool: Pool, shard: number): LeaseStore {
  return {
    read: async () => {
      const values = [shard];
      const { rows } = await pool.query<LeaseRow>({ name: 'read_lease', text: readLease, values });
      const row = rows[0];
      if (row === undefined) return undefined;
      const { holder, address, term, has_expired: hasExpired } = row;
      return { holder, address, term, hasExpired };
    },
    take: async ({ id, address }, duration_ms) => {
      const values = [shard, id, address, duration_ms];
      const { rows } = await pool.query<{ term: bigint }>({ name: 'take_lease', text: takeLease, values });
      return rows[0]?.term;
    },
    renew: async ({ id }, term, duration_ms) => {
      const values = [shard, id, term, duration_ms];
      const { rows } = await pool.query({ name: 'renew_lease', text: renewLease, values });
      return rows.length > 0;
    },
    release: async ({ id }, term) => {
      await pool.query({ name: 'release_lease', text: releaseLease, values: [shard, id, term] });
    },
  };
}
