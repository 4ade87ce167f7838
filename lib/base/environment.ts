/** The environment, read once into typed values: whatever is wrong is one line that names the variable and what is allowed. */
import { BlockList, isIP } from 'node:net';
import type pino from 'pino';
import { StartError } from './start-error.js';

/** The environment as Node gives it. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** What every process is told about its doors and its log. */
export interface DoorsConfig {
  readonly host: string;
  /** 0 lets the system choose. */
  readonly grpcPort: number;
  /** 0 lets the system choose. */
  readonly connectPort: number;
  /** Origins of browsers that may call, for example https://console.example.com. */
  readonly corsOrigins: readonly string[];
  /** Names under which the Connect door is reached, besides loopback, addresses and `host`; `*`: any. Lower case, without a port. */
  readonly allowedHosts: readonly string[];
  readonly logLevel: pino.LevelWithSilent;
  /** Lines to log at every start. */
  readonly warnings: readonly string[];
}

export const DOOR_VARIABLES = [
  'QUITTANCE_HOST',
  'QUITTANCE_GRPC_PORT',
  'QUITTANCE_CONNECT_PORT',
  'QUITTANCE_INSECURE_LISTEN',
  'QUITTANCE_CORS_ORIGINS',
  'QUITTANCE_ALLOWED_HOSTS',
  'QUITTANCE_LOG_LEVEL',
] as const;

const LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;

/** The value of a variable without blanks around it. An empty one counts as absent: that is how compose files leave one out. */
export function valueOf(env: Environment, name: string): string | undefined {
  const value = env[name]?.trim();
  return value === '' ? undefined : value;
}

/** @throws StartError if it is not set. `example` shows what one looks like. */
export function requiredOf(env: Environment, name: string, example: string): string {
  const value = valueOf(env, name);
  if (value === undefined) throw new StartError(`${name} is not set; for example ${name}=${example}`);
  return value;
}

/** @throws StartError on a variable with our prefix that is none of `known`: it is a spelling mistake. */
export function refuseUnknown(env: Environment, known: readonly string[]): void {
  const names = new Set<string>(known);
  for (const name of Object.keys(env)) {
    // The tests' own variables name their servers, which a process under test inherits.
    if (!name.startsWith('QUITTANCE_') || name.startsWith('QUITTANCE_TEST_') || names.has(name)) continue;
    throw new StartError(`${name} is not a variable of Quittance; did you mean ${nearest(name, known)}?`);
  }
}

/**
 * What the operator chose for the doors.
 * @param options.authenticated whether callers have to prove who they are; without it only loopback is served.
 * @throws StartError naming the variable, its value and what is allowed.
 */
export function readDoors(
  env: Environment,
  defaults: { readonly grpcPort: number; readonly connectPort: number },
  options: { readonly authenticated: boolean },
): DoorsConfig {
  const host = valueOf(env, 'QUITTANCE_HOST') ?? '127.0.0.1';
  const grpcPort = wholeOf(env, 'QUITTANCE_GRPC_PORT', defaults.grpcPort, PORTS);
  const connectPort = wholeOf(env, 'QUITTANCE_CONNECT_PORT', defaults.connectPort, PORTS);
  if (grpcPort === connectPort && grpcPort !== 0) {
    throw new StartError(
      `QUITTANCE_GRPC_PORT and QUITTANCE_CONNECT_PORT are both ${String(grpcPort)}; each door needs a port of its own`,
    );
  }
  return {
    host: hostOf(host),
    grpcPort,
    connectPort,
    corsOrigins: originsOf(env),
    allowedHosts: allowedHostsOf(env),
    logLevel: choiceOf(env, 'QUITTANCE_LOG_LEVEL', LEVELS, 'info'),
    warnings: listenWarnings(env, host, options.authenticated),
  };
}

const HOST_NAME = /^[a-z0-9]([a-z0-9._-]*[a-z0-9])?$/i;
const PORTS = { least: 0, most: 65_535, what: 'a port from 0 to 65535 (0: any free one)' };

/** A whole number within bounds. @throws StartError */
export function wholeOf(
  env: Environment,
  name: string,
  otherwise: number,
  { least, most, what }: { readonly least: number; readonly most: number; readonly what: string },
): number {
  const value = valueOf(env, name);
  if (value === undefined) return otherwise;
  if (!/^\d{1,9}$/.test(value) || Number(value) < least || Number(value) > most) throw bad(name, value, what);
  return Number(value);
}

/** One of a few words. @throws StartError */
export function choiceOf<C extends string>(
  env: Environment,
  name: string,
  choices: readonly C[],
  otherwise: C,
): C {
  const value = valueOf(env, name) ?? otherwise;
  const choice = choices.find((known) => known === value);
  if (choice === undefined) throw bad(name, value, choices.join(', '));
  return choice;
}

/**
 * A URL of a store, which may hold a password: it is not repeated.
 * @throws StartError if it does not begin with one of the protocols.
 */
export function checkedUrl(
  name: string,
  value: string,
  protocols: readonly string[],
  example: string,
): string {
  const isOne = protocols.some((each) => value.startsWith(`${each}://`) && value.length > each.length + 3);
  if (isOne) return value;
  throw new StartError(`${name} is not a URL of ${protocols.join(' or ')}; allowed: ${example}`);
}

/** A value that is not allowed, in the words that all of them share. */
export function bad(name: string, value: string, allowed: string): StartError {
  return new StartError(`${name} is ${JSON.stringify(value)}; allowed: ${allowed}`);
}

function nearest(name: string, known: readonly string[]): string {
  const ranked = known.map((each) => ({ each, distance: distance(name, each) }));
  ranked.sort((a, b) => a.distance - b.distance);
  return ranked[0]?.each ?? '';
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

function hostOf(host: string): string {
  if (isIP(host) === 0 && !HOST_NAME.test(host)) {
    throw bad('QUITTANCE_HOST', host, 'an IP address or a host name, without a port');
  }
  return host;
}

function listenWarnings(env: Environment, host: string, authenticated: boolean): string[] {
  const insecure = choiceOf(env, 'QUITTANCE_INSECURE_LISTEN', ['true', 'false'], 'false') === 'true';
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

function allowedHostsOf(env: Environment): string[] {
  const hosts = (valueOf(env, 'QUITTANCE_ALLOWED_HOSTS') ?? '').split(',').map((host) => host.trim());
  return hosts
    .filter((host) => host !== '')
    .map((host) => {
      if (host !== '*' && !HOST_NAME.test(host)) {
        const allowed = 'host names such as ledger.example.com, separated by commas and without a port, or *';
        throw bad('QUITTANCE_ALLOWED_HOSTS', host, allowed);
      }
      return host.toLowerCase();
    });
}
