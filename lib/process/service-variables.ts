/** The variables that the three services know between them. */
import { CONSOLE_DOOR_VARIABLES } from '../base/console-config.js';
import { DOOR_VARIABLES } from '../base/doors-config.js';
import { checkedUrl, type Environment, refuseUnknown, requiredOf } from '../base/environment.js';

/**
 * Every variable of every service: one file of variables may be given to all of them, so that each accepts those of the
 * others and refuses only what none of them knows.
 */
export const SERVICE_VARIABLES = [
  ...DOOR_VARIABLES,
  'QUITTANCE_DATABASE_URL',
  'QUITTANCE_COMMAND_ADDRESS',
  'QUITTANCE_KAFKA_BROKERS',
  'QUITTANCE_KAFKA_TOPIC',
  'QUITTANCE_KAFKA_TLS',
  'QUITTANCE_KAFKA_SASL',
  'QUITTANCE_KAFKA_USERNAME',
  'QUITTANCE_KAFKA_PASSWORD',
  'QUITTANCE_KAFKA_PARTITIONS',
  'QUITTANCE_KAFKA_REPLICATION',
  'QUITTANCE_REDIS_URL',
  'QUITTANCE_HISTORY_STORE',
  'QUITTANCE_MONGODB_URL',
  'QUITTANCE_CLICKHOUSE_URL',
  'QUITTANCE_DEAD_LETTERS_MAX',
  'QUITTANCE_WEBHOOK_NETWORKS',
  ...CONSOLE_DOOR_VARIABLES,
] as const;

/** The PostgreSQL of the log, after the names of all variables were checked. @throws StartError */
export function readDatabaseUrl(env: Environment): string {
  refuseUnknown(env, SERVICE_VARIABLES);
  const name = 'QUITTANCE_DATABASE_URL';
  const example = 'postgresql://user:password@localhost:5432/quittance';
  return checkedUrl(name, requiredOf(env, name, example), ['postgresql', 'postgres'], example);
}
