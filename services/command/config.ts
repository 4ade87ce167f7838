/** The environment of the command service, read once into a typed configuration. */
import { type BusConfig, readBus } from '../../lib/log/bus-config.js';
import { hostname } from 'node:os';
import { type DoorsConfig, readDoors } from '../../lib/base/doors-config.js';
import { bad, type Environment, valueOf, wholeOf } from '../../lib/base/environment.js';
import { StartError } from '../../lib/base/start-error.js';
import { addressOf } from '../../lib/process/address.js';
import { readDatabaseUrl } from '../../lib/process/service-variables.js';

/** What the operator chose. */
export interface CommandConfig extends DoorsConfig {
  readonly databaseUrl: string;
  readonly bus: BusConfig;
  /** Where the other command processes reach the gRPC door of this one, host:port. */
  readonly address: string;
}

const ADDRESS = 'QUITTANCE_COMMAND_ADDRESS';
const HOST_AND_PORT = /^(\[[0-9a-f:]+\]|[a-z0-9._-]+):[0-9]{1,5}$/i;
/** What listens on every address is reached by the name of the machine, which in a container is the container's own. */
const EVERY_ADDRESS: ReadonlySet<string> = new Set(['0.0.0.0', '::', '::0']);

/** @throws StartError naming the variable, its value and what is allowed. */
export function readConfig(env: Environment): CommandConfig {
  const databaseUrl = readDatabaseUrl(env);
  const doors = readDoors(env, { grpcPort: 50051, connectPort: 8081 });
  return { ...doors, databaseUrl, bus: readBus(env), address: readAddress(env, doors) };
}

function readAddress(env: Environment, { host, grpcPort }: DoorsConfig): string {
  const given = valueOf(env, ADDRESS);
  if (given !== undefined && !HOST_AND_PORT.test(given)) throw bad(ADDRESS, given, 'host:port');
  if (given === undefined && grpcPort === 0) {
    throw new StartError(
      `QUITTANCE_GRPC_PORT is 0; then ${ADDRESS} says where other command processes reach it`,
    );
  }
  return given ?? addressOf(EVERY_ADDRESS.has(host) ? hostname() : host, grpcPort);
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
