/** The environment, read once into a typed configuration. */
import { BlockList, isIP } from 'node:net';
import { resolve } from 'node:path';
import type pino from 'pino';
import { StartError } from './start-error.js';

/** What the operator chose. */
export type StandaloneConfig = {
  /** Absolute path. */
  dataDir: string;
  host: string;
  /** 0 lets the system choose. */
  grpcPort: number;
  /** 0 lets the system choose. */
  connectPort: number;
  /** Origins of browsers that may call, for example https://console.example.com. */
  corsOrigins: readonly string[];
  logLevel: pino.LevelWithSilent;
  /** An existing PostgreSQL to use in place of the one that npm brings. */
  databaseUrl: string | undefined;
  /** Lines to log at every start. */
  warnings: readonly string[];
};

/** The environment as Node gives it. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** Every variable of the standalone process; another one with our prefix is a spelling mistake. */
export const VARIABLES = [
  'QUITTANCE_DATA_DIR',
  'QUITTANCE_HOST',
  'QUITTANCE_GRPC_PORT',
  'QUITTANCE_CONNECT_PORT',
  'QUITTANCE_INSECURE_LISTEN',
  'QUITTANCE_CORS_ORIGINS',
  'QUITTANCE_LOG_LEVEL',
  'QUITTANCE_DATABASE_URL',
] as const;

const LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;

/**
 * @param options.authenticated whether callers have to prove who they are; without it only loopback is served.
 * @throws StartError naming the variable, its value and what is allowed.
 */
export function readConfig(
  env: Environment,
  options: { authenticated: boolean } = { authenticated: false },
): StandaloneConfig {
  refuseUnknown(env);
  const host = valueOf(env, 'QUITTANCE_HOST') ?? '127.0.0.1';
  const grpcPort = portOf(env, 'QUITTANCE_GRPC_PORT', 50051);
  const connectPort = portOf(env, 'QUITTANCE_CONNECT_PORT', 8081);
  if (grpcPort === connectPort && grpcPort !== 0) {
    throw new StartError(
      `QUITTANCE_GRPC_PORT and QUITTANCE_CONNECT_PORT are both ${String(grpcPort)}; each door needs a port of its own`,
    );
  }
  return {
    dataDir: dataDirOf(env),
    host: hostOf(host),
    grpcPort,
    connectPort,
    corsOrigins: originsOf(env),
    logLevel: levelOf(env),
    databaseUrl: databaseUrlOf(env),
    warnings: listenWarnings(env, host, options.authenticated),
  };
}

/** The data directory alone, for tools that need nothing else. Absolute. */
export function dataDirOf(env: Environment): string {
  return resolve(valueOf(env, 'QUITTANCE_DATA_DIR') ?? '.quittance');
}

/** An empty value counts as absent: that is how compose files leave a variable out. */
function valueOf(env: Environment, name: (typeof VARIABLES)[number]): string | undefined {
  const value = env[name]?.trim();
  return value === '' ? undefined : value;
}

function refuseUnknown(env: Environment): void {
  const known = new Set<string>(VARIABLES);
  for (const name of Object.keys(env)) {
    // The tests' own variables name their PostgreSQL, which a process under test inherits.
    if (!name.startsWith('QUITTANCE_') || name.startsWith('QUITTANCE_TEST_') || known.has(name)) continue;
    throw new StartError(`${name} is not a variable of Quittance; did you mean ${nearest(name)}?`);
  }
}

function nearest(name: string): string {
  const ranked = VARIABLES.map((known) => ({ known, distance: distance(name, known) }));
  ranked.sort((a, b) => a.distance - b.distance);
  return ranked[0]?.known ?? VARIABLES[0];
}

/** How many letters to insert, remove or replace. */
function distance(a: string, b: string): number {
  let previous = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let row = 1; row <= a.length; row += 1) {
    const current = [row];
    for (let column = 1; column <= b.length; column += 1) {
      const replaced = (previous[column - 1] ?? 0) + (a[row - 1] === b[column - 1] ? 0 : 1);
      current.push(Math.min(replaced, (previous[column] ?? 0) + 1, (current[column - 1] ?? 0) + 1));
    }
    previous = current;
  }
  return previous[b.length] ?? 0;
}

function bad(name: string, value: string, allowed: string): StartError {
  return new StartError(`${name} is ${JSON.stringify(value)}; allowed: ${allowed}`);
}

function portOf(
  env: Environment,
  name: 'QUITTANCE_GRPC_PORT' | 'QUITTANCE_CONNECT_PORT',
  otherwise: number,
): number {
  const value = valueOf(env, name);
  if (value === undefined) return otherwise;
  if (!/^\d{1,5}$/.test(value) || Number(value) > 65_535)
    throw bad(name, value, 'a port from 0 to 65535 (0: any free one)');
  return Number(value);
}

function hostOf(host: string): string {
  if (isIP(host) === 0 && !/^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$/i.test(host)) {
    throw bad('QUITTANCE_HOST', host, 'an IP address or a host name, without a port');
  }
  return host;
}

function flagOf(env: Environment, name: 'QUITTANCE_INSECURE_LISTEN'): boolean {
  const value = valueOf(env, name) ?? 'false';
  if (value !== 'true' && value !== 'false') throw bad(name, value, 'true or false');
  return value === 'true';
}

function listenWarnings(env: Environment, host: string, authenticated: boolean): string[] {
  const insecure = flagOf(env, 'QUITTANCE_INSECURE_LISTEN');
  if (isLoopback(host) || authenticated) return [];
  if (!insecure) {
    throw new StartError(
      `QUITTANCE_HOST is ${JSON.stringify(host)}, and without authentication whoever reaches that address can move money;` +
        ' use 127.0.0.1, or set QUITTANCE_INSECURE_LISTEN=true if the network itself is closed',
    );
  }
  return [
    `QUITTANCE_INSECURE_LISTEN=true: whoever reaches ${host} can move money, for there is no authentication;` +
      ' keep that network closed',
  ];
}

function isLoopback(host: string): boolean {
  const family = isIP(host);
  if (family === 0) return host.toLowerCase() === 'localhost';
  const loopback = new BlockList();
  loopback.addSubnet('127.0.0.0', 8, 'ipv4');
  loopback.addAddress('::1', 'ipv6');
  return loopback.check(host, family === 6 ? 'ipv6' : 'ipv4');
}

function originsOf(env: Environment): string[] {
  const value = valueOf(env, 'QUITTANCE_CORS_ORIGINS');
  const origins = (value ?? '').split(',').map((origin) => origin.trim());
  return origins
    .filter((origin) => origin !== '')
    .map((origin) => {
      // A browser sends scheme, host and port; a path or a final slash would match none, silently.
      if (!URL.canParse(origin) || new URL(origin).origin !== origin || origin === 'null') {
        throw bad(
          'QUITTANCE_CORS_ORIGINS',
          origin,
          'origins such as https://console.example.com, separated by commas',
        );
      }
      return origin;
    });
}

function levelOf(env: Environment): pino.LevelWithSilent {
  const value = valueOf(env, 'QUITTANCE_LOG_LEVEL') ?? 'info';
  const level = LEVELS.find((known) => known === value);
  if (!level) throw bad('QUITTANCE_LOG_LEVEL', value, LEVELS.join(', '));
  return level;
}

function databaseUrlOf(env: Environment): string | undefined {
  const value = valueOf(env, 'QUITTANCE_DATABASE_URL');
  if (value !== undefined && !/^postgres(ql)?:\/\/./.test(value)) {
    // The value may hold a password: it is not repeated.
    throw new StartError(
      'QUITTANCE_DATABASE_URL is not a URL of PostgreSQL; allowed: postgresql://user:password@host:5432/database',
    );
  }
  return value;
}
