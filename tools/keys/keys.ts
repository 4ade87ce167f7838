/** What `npm run keys` does. */
import { newApiKey } from '../../lib/auth/api-key.js';
import { insertKey, listKeys, type ListedKey, prepareKeys, revokeKey } from '../../lib/auth/postgres-keys.js';
import { isScope, SCOPES_MAX } from '../../lib/auth/scopes.js';
import type { Environment } from '../../lib/base/environment.js';
import { valueOf } from '../../lib/base/environment.js';
import { withSecretFiles } from '../../lib/base/secret-files.js';
import { StartError } from '../../lib/base/start-error.js';
import { createPool, type Pool } from '../../lib/log/postgres-client.js';
import { type Output, UsageError } from '../../lib/process/command-line.js';
import { dataDirOf } from '../../services/standalone/config.js';
import { runningPostgres } from '../../services/standalone/engines/postgres-engine.js';

/** What was typed. */
export interface KeysLine {
  readonly action: string | undefined;
  readonly subject: string | undefined;
  readonly scopes: readonly string[];
  readonly expiresIn: string;
}

/** `process`, as far as it is used here. */
export interface KeysHost extends Output {
  readonly env: Environment;
}

const DAY_MS = 86_400_000;
const NAME = /^[a-z0-9][a-z0-9._-]{0,62}$/;
const ID = /^[0-9a-f]{12}$/;
const HELP = 'npm run keys -- --help lists what there is';

/** Runs one action. @returns the exit code. @throws UsageError, StartError */
export async function runKeys(host: KeysHost, line: KeysLine): Promise<number> {
  const run = actionOf(line);
  const pool = openPool(withSecretFiles(host.env));
  try {
    await prepareKeys(pool);
    return await run(pool, host);
  } finally {
    await pool.end();
  }
}

type Action = (pool: Pool, output: Output) => Promise<number>;

/** What the line asks for, checked before anything is opened. @throws UsageError */
function actionOf(line: KeysLine): Action {
  switch (line.action) {
    case 'create':
      return createAction(line);
    case 'list':
      return list;
    case 'revoke':
      return revokeAction(line);
    default:
      throw new UsageError(`say create, list or revoke; ${HELP}`);
  }
}

function createAction({ subject: name, scopes, expiresIn }: KeysLine): Action {
  if (name === undefined || !NAME.test(name)) {
    throw new UsageError(`a key has a name of small letters, digits and . _ -, such as billing; ${HELP}`);
  }
  if (scopes.length === 0 || scopes.length > SCOPES_MAX) {
    throw new UsageError(`a key has 1 to ${String(SCOPES_MAX)} scopes, such as --scope read:shop; ${HELP}`);
  }
  const unknown = scopes.find((scope) => !isScope(scope));
  if (unknown !== undefined) {
    throw new UsageError(`${JSON.stringify(unknown)} is no scope; docs/scopes.md lists them`);
  }
  const expires_at = expiryOf(expiresIn);
  return async (pool, output) => {
    const key = newApiKey();
    await insertKey(pool, key, { name, scopes, expires_at });
    const until = expires_at === null ? 'until it is revoked' : `until ${expires_at.toISOString()}`;
    output.stderr.write(`key ${key.id} of ${name}, good ${until}; it is shown this once:\n`);
    output.stdout.write(`${key.key}\n`);
    return 0;
  };
}

function expiryOf(text: string): Date | null {
  if (text === 'never') return null;
  const [, days] = /^(\d{1,5})d$/.exec(text) ?? [];
  if (days === undefined || Number(days) === 0) {
    throw new UsageError(`--expires-in is a number of days such as 90d, or never; ${HELP}`);
  }
  return new Date(Date.now() + Number(days) * DAY_MS);
}

async function list(pool: Pool, { stdout }: Output): Promise<number> {
  const keys = await listKeys(pool);
  const rows = [
    ['id', 'name', 'state', 'created', 'expires', 'scopes'],
    ...keys.map((key) => [
      key.key_id,
      key.name,
      stateOf(key),
      dayOf(key.created_at),
      key.expires_at === null ? 'never' : dayOf(key.expires_at),
      key.scopes.join(' '),
    ]),
  ];
  const widths = rows[0]?.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0))) ?? [];
  for (const row of rows) {
    stdout.write(
      `${row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd()}\n`,
    );
  }
  return 0;
}

function stateOf({ revoked_at, expires_at }: ListedKey): string {
  if (revoked_at !== null) return 'revoked';
  return expires_at !== null && expires_at.getTime() <= Date.now() ? 'expired' : 'good';
}

function dayOf(time: Date): string {
  return time.toISOString().slice(0, 10);
}

function revokeAction({ subject: id }: KeysLine): Action {
  if (id === undefined || !ID.test(id)) {
    throw new UsageError(`a key is revoked by its id of 12 characters, which stands in the list; ${HELP}`);
  }
  return async (pool, { stdout, stderr }) => {
    const name = await revokeKey(pool, id);
    if (name === undefined) {
      stderr.write(`there is no key ${id}\n`);
      return 1;
    }
    stdout.write(`key ${id} of ${name} is revoked; servers refuse it within seconds\n`);
    return 0;
  };
}

function openPool(env: Environment): Pool {
  const connectionString = valueOf(env, 'QUITTANCE_DATABASE_URL');
  const options = { max: 1, name: 'quittance keys' };
  if (connectionString !== undefined) return createPool({ connectionString }, options);
  const dataDir = dataDirOf(env);
  const connection = runningPostgres(dataDir);
  if (connection !== undefined) return createPool(connection, options);
  throw new StartError(
    `no Quittance runs on ${dataDir}, and its keys are in its database; start it first, or set QUITTANCE_DATABASE_URL`,
  );
}
