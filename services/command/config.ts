/** The environment of the command service, read once into a typed configuration. */
import { type BusConfig, readBus } from '../../lib/log/bus-config.js';
import { type DoorsConfig, type Environment, readDoors, wholeOf } from '../../lib/base/environment.js';
import { readDatabaseUrl } from '../../lib/process/service-variables.js';

/** What the operator chose. */
export interface CommandConfig extends DoorsConfig {
  readonly databaseUrl: string;
  readonly bus: BusConfig;
}

/** @throws StartError naming the variable, its value and what is allowed. */
export function readConfig(env: Environment): CommandConfig {
  const databaseUrl = readDatabaseUrl(env);
  const doors = readDoors(env, { grpcPort: 50051, connectPort: 8081 }, { authenticated: false });
  return { ...doors, databaseUrl, bus: readBus(env) };
}

/** The configuration of the step that creates the topic. */
export interface TopicConfig {
  readonly databaseUrl: string;
  readonly bus: BusConfig;
  readonly partitions: number;
  /** How many brokers hold each partition. */
  readonly replication: number;
}

/** @throws StartError */
export function readTopicConfig(env: Environment): TopicConfig {
  return {
    databaseUrl: readDatabaseUrl(env),
    bus: readBus(env),
    partitions: wholeOf(env, 'QUITTANCE_KAFKA_PARTITIONS', 12, {
      least: 1,
      most: 1_000,
      what: 'a number from 1 to 1000',
    }),
    replication: wholeOf(env, 'QUITTANCE_KAFKA_REPLICATION', 1, {
      least: 1,
      most: 9,
      what: 'a number from 1 to 9',
    }),
  };
}
