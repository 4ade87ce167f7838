/** The environment of the embedded process, read once into a typed configuration. */
import { resolve } from 'node:path';
import { DOOR_VARIABLES, type DoorsConfig, readDoors } from '../../lib/base/doors-config.js';
import { checkedUrl, type Environment, refuseUnknown, valueOf } from '../../lib/base/environment.js';
import {
  DEAD_LETTERS_HELP,
  DEAD_LETTERS_VARIABLE,
  readMostDeadLetters,
} from '../../lib/views/parked/most-dead-letters.js';
import { DOOR_VARIABLE_HELP } from '../../lib/process/variable-help.js';
import { readWebhookNetworks, WEBHOOK_NETWORKS_HELP, WEBHOOK_NETWORKS_VARIABLE } from '../webhooks/config.js';

/** What the operator chose. */
export interface StandaloneConfig extends DoorsConfig {
  /** Absolute path. */
  readonly dataDir: string;
  /** An existing PostgreSQL to use in place of the one that npm brings. */
  readonly databaseUrl: string | undefined;
  /** See readMostDeadLetters. */
  readonly mostDeadLetters: number;
  /** See readWebhookNetworks. */
  readonly webhookNetworks: readonly string[];
}

/** Every variable of the standalone process; another one with our prefix is a spelling mistake. */
export const VARIABLES = [
  ...DOOR_VARIABLES,
  'QUITTANCE_DATA_DIR',
  'QUITTANCE_DATABASE_URL',
  DEAD_LETTERS_VARIABLE,
  WEBHOOK_NETWORKS_VARIABLE,
] as const;

/** What each means, for `--help`. */
export const VARIABLE_HELP: Readonly<Record<(typeof VARIABLES)[number], string>> = {
  ...DOOR_VARIABLE_HELP,
  QUITTANCE_DATA_DIR: 'where data and logs lie (default ./.quittance)',
  QUITTANCE_DATABASE_URL: 'an existing PostgreSQL, in place of the one that npm brings',
  QUITTANCE_DEAD_LETTERS_MAX: DEAD_LETTERS_HELP,
  QUITTANCE_WEBHOOK_NETWORKS: WEBHOOK_NETWORKS_HELP,
};

/** @throws StartError naming the variable, its value and what is allowed. */
export function readConfig(env: Environment): StandaloneConfig {
  refuseUnknown(env, VARIABLES);
  return {
    ...readDoors(env, { grpcPort: 50051, connectPort: 8081 }),
    dataDir: dataDirOf(env),
    databaseUrl: databaseUrlOf(env),
    mostDeadLetters: readMostDeadLetters(env),
    webhookNetworks: readWebhookNetworks(env),
  };
}

/** The data directory alone, for tools that need nothing else. Absolute. */
export function dataDirOf(env: Environment): string {
  return resolve(valueOf(env, 'QUITTANCE_DATA_DIR') ?? '.quittance');
}

function databaseUrlOf(env: Environment): string | undefined {
  const name = 'QUITTANCE_DATABASE_URL';
  const value = valueOf(env, name);
  if (value === undefined) return undefined;
  return checkedUrl(name, value, ['postgresql', 'postgres'], 'postgresql://user:password@host:5432/database');
}
