/** API keys in the PostgreSQL of the log. Secrets are not in it: only their SHA-256. */
import type { Queries } from '../log/postgres-client.js';
import type { NewApiKey } from './api-key.js';
import type { KeyStore, StoredKey } from './key-ring.js';

/** Every process that authenticates may be the first: two at once would collide, so a lock makes them follow each other. */
const SCHEMA = `
do $$ begin
  perform pg_advisory_xact_lock(74111, 1);
  if to_regclass('auth.api_keys') is null then
    create schema if not exists auth;
    create table auth.api_keys (
      key_id text primary key check (key_id ~ '^[0-9a-f]{12}$'),
      name text not null,
      secret_hash bytea not null check (length(secret_hash) = 32),
      scopes text[] not null,
      created_at timestamptz not null default now(),
      expires_at timestamptz,
      revoked_at timestamptz
    );
  end if;
end $$`;

const LIVE = `
select key_id, name, secret_hash, scopes, extract(epoch from expires_at) * 1000 as expiry_ms
  from auth.api_keys
 where revoked_at is null and (expires_at is null or expires_at > now())
 order by key_id limit 10000`;

const ALL = `
select key_id, name, scopes, created_at, expires_at, revoked_at
  from auth.api_keys order by created_at, key_id limit 10000`;

const INSERT = `
insert into auth.api_keys (key_id, name, secret_hash, scopes, expires_at) values ($1, $2, $3, $4, $5)`;

const REVOKE = `
update auth.api_keys set revoked_at = coalesce(revoked_at, now()) where key_id = $1 returning name`;

/** A key as the operator sees it. */
export interface ListedKey {
  readonly key_id: string;
  readonly name: string;
  readonly scopes: readonly string[];
  readonly created_at: Date;
  readonly expires_at: Date | null;
  readonly revoked_at: Date | null;
}

/** Makes the table if it is absent. */
export async function prepareKeys(database: Queries): Promise<void> {
  await database.query(SCHEMA);
}

/** The keys as servers read them. */
export function postgresKeyStore(database: Queries): KeyStore {
  return {
    live: async () => {
      const { rows } = await database.query<{
        key_id: string;
        name: string;
        secret_hash: Buffer;
        scopes: string[];
        expiry_ms: string | null;
      }>(LIVE);
      return rows.map(({ key_id, name, secret_hash, scopes, expiry_ms }): StoredKey => ({
        id: key_id,
        name,
        secretHash: secret_hash,
        scopes,
        expiry_ms: expiry_ms === null ? undefined : Number(expiry_ms),
      }));
    },
  };
}

export async function listKeys(database: Queries): Promise<readonly ListedKey[]> {
  const { rows } = await database.query<ListedKey & Record<string, unknown>>(ALL);
  return rows;
}

export async function insertKey(
  database: Queries,
  { id, secretHash }: NewApiKey,
  about: { readonly name: string; readonly scopes: readonly string[]; readonly expires_at: Date | null },
): Promise<void> {
  await database.query(INSERT, [id, about.name, secretHash, [...about.scopes], about.expires_at]);
}

/** The name of the key that was revoked, now or before; undefined if there is none. */
export async function revokeKey(database: Queries, id: string): Promise<string | undefined> {
  const { rows } = await database.query<{ name: string }>(REVOKE, [id]);
  return rows[0]?.name;
}
