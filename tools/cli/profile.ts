/** Profiles: named settings in `~/.config/quittance/config.toml`, which only its owner may read, since it may hold a token. */
import { chmodSync, mkdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { parse, stringify } from 'smol-toml';
import { valueOf } from '../../lib/base/environment.js';
import { StartError } from '../../lib/base/start-error.js';
import type { Io } from './io.js';

/** What a profile may say, with what each means. */
export const PROFILE_KEYS = {
  address: 'host:port of gRPC (default localhost:50051)',
  query_address: 'host:port of the query service, where it has its own (default: address)',
  ops_address: 'host:port of the projector, where it has its own (default: address)',
  ledger: 'the ledger of commands that name none',
  token: 'an API key or a token, sent as bearer',
  ca_file: 'the certificates (PEM) by which the server is known; puts TLS on',
  tls: 'true: TLS, by the certificates that Node knows',
} as const;

export type ProfileKey = keyof typeof PROFILE_KEYS;
export type Profile = Readonly<Partial<Record<ProfileKey, string>>>;

export interface ConfigFile {
  /** The profile that is used where none is named. */
  readonly profile: string;
  readonly profiles: Readonly<Record<string, Profile>>;
}

export const DEFAULT_PROFILE = 'default';
const OWNER_ONLY = 0o600;
const OTHERS = 0o077;

/** Where the file lies. */
export function configPath({ env, home }: Pick<Io, 'env' | 'home'>): string {
  const folder = valueOf(env, 'XDG_CONFIG_HOME') ?? join(home, '.config');
  return join(folder, 'quittance', 'config.toml');
}

/** Reads it; a file that is not there says nothing. @throws StartError if others may read it, or it says what is not known */
export function readConfig(io: Pick<Io, 'env' | 'home'>): ConfigFile {
  const path = configPath(io);
  const found = statSync(path, { throwIfNoEntry: false });
  if (found === undefined) return { profile: DEFAULT_PROFILE, profiles: {} };
  if (process.platform !== 'win32' && (found.mode & OTHERS) !== 0)
    throw new StartError(`${path} may hold a token and others may read it; run: chmod 600 ${path}`);
  try {
    return configOf(parse(readFileSync(path, 'utf8')));
  } catch (error) {
    const why = error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error);
    throw new StartError(`${path}: ${why}`);
  }
}

/** Writes the whole file in one step, for its owner alone. */
export function writeConfig(io: Pick<Io, 'env' | 'home'>, { profile, profiles }: ConfigFile): void {
  const path = configPath(io);
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  const draft = `${path}.${String(process.pid)}`;
  writeFileSync(draft, stringify({ profile, profiles }), { mode: OWNER_ONLY });
  chmodSync(draft, OWNER_ONLY);
  renameSync(draft, path);
}

/** Whether a text is a key of profiles. */
export function isProfileKey(key: string): key is ProfileKey {
  return Object.hasOwn(PROFILE_KEYS, key);
}

function configOf(file: Readonly<Record<string, unknown>>): ConfigFile {
  const { profile = DEFAULT_PROFILE, profiles = {}, ...rest } = file;
  const [unknown] = Object.keys(rest);
  if (unknown !== undefined)
    throw new Error(`${unknown} is not known; there are profile and [profiles.NAME]`);
  if (typeof profile !== 'string') throw new Error('profile is the name of a profile');
  if (!isTable(profiles)) throw new Error('profiles is a table of profiles');
  const read = Object.entries(profiles).map(([name, table]) => [name, profileOf(name, table)] as const);
  return { profile, profiles: Object.fromEntries(read) };
}

function profileOf(name: string, table: unknown): Profile {
  if (!isTable(table)) throw new Error(`profiles.${name} is a table`);
  const profile: Partial<Record<ProfileKey, string>> = {};
  for (const [key, value] of Object.entries(table)) {
    if (!isProfileKey(key))
      throw new Error(
        `profiles.${name}.${key} is not known; there are ${Object.keys(PROFILE_KEYS).join(', ')}`,
      );
    if (typeof value !== 'string' && typeof value !== 'boolean')
      throw new Error(`profiles.${name}.${key} is a text`);
    profile[key] = String(value);
  }
  return profile;
}

function isTable(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
