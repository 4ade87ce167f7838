/** The environment of the projector, read once into a typed configuration. */
import { type BusConfig, readBus } from '../../lib/log/bus-config.js';
import { type DoorsConfig, readDoors } from '../../lib/base/doors-config.js';
import type { Environment } from '../../lib/base/environment.js';
import { readDatabaseUrl } from '../../lib/process/service-variables.js';
import { readMostDeadLetters } from '../../lib/views/parked/most-dead-letters.js';
import { readWebhookNetworks } from '../webhooks/config.js';
import { readStores, type StoresConfig } from '../../lib/views/stores-config.js';

/** What the operator chose. */
export interface ProjectorConfig extends DoorsConfig {
  readonly databaseUrl: string;
  readonly bus: BusConfig;
  readonly stores: StoresConfig;
  /** See readMostDeadLetters. */
  readonly mostDeadLetters: number;
  /** See readWebhookNetworks. */
  readonly webhookNetworks: readonly string[];
}

/** @throws StartError naming the variable, its value and what is allowed. */
export function readConfig(env: Environment): ProjectorConfig {
  const databaseUrl = readDatabaseUrl(env);
  const doors = readDoors(env, { grpcPort: 50052, connectPort: 8082 });
  const mostDeadLetters = readMostDeadLetters(env);
  const webhookNetworks = readWebhookNetworks(env);
  const bus = readBus(env);
  return { ...doors, databaseUrl, bus, stores: readStores(env), mostDeadLetters, webhookNetworks };
}
