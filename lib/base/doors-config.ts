/** What the environment says of the doors of a process, and of its log. */
import { BlockList, isIP } from 'node:net';
import type pino from 'pino';
import { AUTH_VARIABLES, type AuthConfig, readAuth } from './auth-config.js';
import {
  CONSOLE_LOGIN_VARIABLES,
  CONSOLE_VARIABLE,
  type ConsoleLogin,
  type ConsoleMode,
  readConsoleLogin,
  readConsoleMode,
} from './console-config.js';
import { bad, choiceOf, type Environment, valueOf, wholeOf } from './environment.js';
import { LIMIT_VARIABLES, type LimitsConfig, readLimits } from './limits-config.js';
import { StartError } from './start-error.js';
import { readTls, TLS_VARIABLES, type TlsConfig } from './tls-config.js';
import { readTracing, type TracingConfig } from './tracing-config.js';

export const GRPC_TRANSPORTS = ['own', 'node'] as const;
export type GrpcTransport = (typeof GRPC_TRANSPORTS)[number];

/** What the configuration of every process says about its doors and its log. */
export interface DoorsConfig {
  readonly host: string;
  /** 0 lets the system choose. */
  readonly grpcPort: number;
  /** 0 lets the system choose. */
  readonly connectPort: number;
  /** What carries HTTP/2 below gRPC: our own, or node:http2; undefined: our own. */
  readonly grpcTransport?: GrpcTransport | undefined;
  /** Origins of browsers that may call, for example https://console.example.com. */
  readonly corsOrigins: readonly string[];
  /** Names under which the Connect door is reached, besides loopback, addresses and `host`; `*`: any. Lower case, without a port. */
  readonly allowedHosts: readonly string[];
  /** How callers prove who they are; undefined: they do not. */
  readonly auth?: AuthConfig | undefined;
  /** Undefined: both doors speak without TLS. */
  readonly tls?: TlsConfig | undefined;
  /** How much callers may ask for; undefined: as much as they like. */
  readonly limits?: LimitsConfig | undefined;
  readonly logLevel: pino.LevelWithSilent;
  /** Where traces are sent; undefined: there are none. */
  readonly tracing?: TracingConfig | undefined;
  /** Of the processes that serve the console; undefined: off. */
  readonly console?: ConsoleMode | undefined;
  /** How the console logs in at the issuer; undefined: it asks for a token or a key. */
  readonly consoleLogin?: ConsoleLogin | undefined;
  /** Lines to log at every start. */
  readonly warnings: readonly string[];
}

export const DOOR_VARIABLES = [
  'QUITTANCE_HOST',
  'QUITTANCE_GRPC_PORT',
  'QUITTANCE_GRPC_TRANSPORT',
  'QUITTANCE_CONNECT_PORT',
  'QUITTANCE_INSECURE_LISTEN',
  'QUITTANCE_CORS_ORIGINS',
  'QUITTANCE_ALLOWED_HOSTS',
  ...AUTH_VARIABLES,
  ...TLS_VARIABLES,
  CONSOLE_VARIABLE,
  ...CONSOLE_LOGIN_VARIABLES,
  ...LIMIT_VARIABLES,
  'QUITTANCE_LOG_LEVEL',
] as const;

const LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;

/**
 * What the operator chose for the doors.
 * Without authentication only loopback is served.
 * @throws StartError naming the variable, its value and what is allowed.
 */
export function readDoors(
  env: Environment,
  defaults: { readonly grpcPort: number; readonly connectPort: number },
): DoorsConfig {
  const auth = readAuth(env);
  const tls = readTls(env);
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
    grpcTransport: choiceOf(env, 'QUITTANCE_GRPC_TRANSPORT', GRPC_TRANSPORTS, 'own'),
    corsOrigins: originsOf(env),
    allowedHosts: allowedHostsOf(env),
    auth,
    tls,
    limits: readLimits(env, auth !== undefined),
    tracing: readTracing(env),
    console: readConsoleMode(env),
    consoleLogin: readConsoleLogin(env, auth),
    logLevel: choiceOf(env, 'QUITTANCE_LOG_LEVEL', LEVELS, 'info'),
    warnings: listenWarnings(env, host, { hasAuth: auth !== undefined, hasTls: tls !== undefined }),
  };
}

const HOST_NAME = /^[a-z0-9]([a-z0-9._-]*[a-z0-9])?$/i;
const PORTS = { least: 0, most: 65_535, what: 'a port from 0 to 65535 (0: any free one)' };

function hostOf(host: string): string {
  if (isIP(host) === 0 && !HOST_NAME.test(host)) {
    throw bad('QUITTANCE_HOST', host, 'an IP address or a host name, without a port');
  }
  return host;
}

function listenWarnings(
  env: Environment,
  host: string,
  { hasAuth, hasTls }: { readonly hasAuth: boolean; readonly hasTls: boolean },
): string[] {
  const insecure = choiceOf(env, 'QUITTANCE_INSECURE_LISTEN', ['true', 'false'], 'false') === 'true';
  if (isLoopback(host)) return [];
  if (hasAuth) {
    if (hasTls) return [];
    return [
      `without QUITTANCE_TLS_CERT_FILE tokens and keys reach ${host} in the clear;` +
        ' that is for a closed network, or behind a proxy that ends TLS',
    ];
  }
  if (!insecure) {
    throw new StartError(
      `QUITTANCE_HOST is ${JSON.stringify(host)}, and without authentication every caller who reaches that address can move money;` +
        ' use 127.0.0.1, or QUITTANCE_AUTH=on, or set QUITTANCE_INSECURE_LISTEN=true if the network itself is closed',
    );
  }
  return [
    `QUITTANCE_INSECURE_LISTEN=true: every caller who reaches ${host} can move money, for there is no authentication;` +
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
