/** The environment of the query service, read once into a typed configuration. */
import { topicOf } from '../../lib/log/bus-config.js';
import { type DoorsConfig, readDoors } from '../../lib/base/doors-config.js';
import { type ConsoleDoors, readConsoleDoors } from '../../lib/base/console-config.js';
import type { Environment } from '../../lib/base/environment.js';
import { readDatabaseUrl } from '../../lib/process/service-variables.js';
import { readStores, type StoresConfig } from '../../lib/views/stores-config.js';

/** What the operator chose. */
export interface QueryConfig extends DoorsConfig {
  readonly databaseUrl: string;
  /** Its record says in which partition of the views a ledger is; no broker is asked. */
  readonly topic: string;
  readonly stores: StoresConfig;
  /** Undefined: there is no console. */
  readonly consoleDoors: ConsoleDoors | undefined;
}

/** @throws StartError naming the variable, its value and what is allowed. */
export function readConfig(env: Environment): QueryConfig {
  const databaseUrl = readDatabaseUrl(env);
  const doors = readDoors(env, { grpcPort: 50053, connectPort: 8083 });
  return {
    ...doors,
    databaseUrl,
    topic: topicOf(env),
    stores: readStores(env),
    consoleDoors: readConsoleDoors(env),
  };
}
