/** Where the bus is, as the environment says it. */
import { bad, choiceOf, type Environment, requiredOf, valueOf } from '../base/environment.js';
import { StartError } from '../base/start-error.js';

/** The brokers and the topic. */
export interface BusConfig {
  /** host:port of each broker to ask first. */
  readonly brokers: readonly string[];
  readonly topic: string;
  readonly security: BusSecurity;
}

/** How a client proves to the brokers who it is, and they to it. */
export interface BusSecurity {
  /** Over TLS; the certificates of the brokers are of a CA that Node knows (NODE_EXTRA_CA_CERTS adds one). */
  readonly isTls: boolean;
  /** Undefined: the brokers ask for no name. */
  readonly sasl: BusCredentials | undefined;
}

export interface BusCredentials {
  readonly mechanism: 'plain' | 'scram-sha-256' | 'scram-sha-512';
  readonly username: string;
  readonly password: string;
}

/** Brokers without TLS that ask for no name. */
export const OPEN_BUS: BusSecurity = { isTls: false, sasl: undefined };

export const TOPIC_VARIABLE = 'QUITTANCE_KAFKA_TOPIC';
const SECURITY_VARIABLES = [
  'QUITTANCE_KAFKA_TLS',
  'QUITTANCE_KAFKA_SASL',
  'QUITTANCE_KAFKA_USERNAME',
  'QUITTANCE_KAFKA_PASSWORD',
] as const;
export const BUS_VARIABLES = ['QUITTANCE_KAFKA_BROKERS', TOPIC_VARIABLE, ...SECURITY_VARIABLES] as const;

/** @throws StartError */
export function readBus(env: Environment): BusConfig {
  const name = 'QUITTANCE_KAFKA_BROKERS';
  const brokers = requiredOf(env, name, 'localhost:9092')
    .split(',')
    .map((broker) => broker.trim());
  for (const broker of brokers) {
    if (!/^[^\s:]+:\d{1,5}$/.test(broker)) throw bad(name, broker, 'host:port, separated by commas');
  }
  return { brokers, topic: topicOf(env), security: securityOf(env) };
}

function securityOf(env: Environment): BusSecurity {
  const isTls = choiceOf(env, 'QUITTANCE_KAFKA_TLS', ['true', 'false'], 'false') === 'true';
  const choices = ['none', 'plain', 'scram-sha-256', 'scram-sha-512'] as const;
  const mechanism = choiceOf(env, 'QUITTANCE_KAFKA_SASL', choices, 'none');
  if (mechanism !== 'none') {
    const username = requiredOf(env, 'QUITTANCE_KAFKA_USERNAME', 'quittance');
    const password = requiredOf(env, 'QUITTANCE_KAFKA_PASSWORD', '…');
    return { isTls, sasl: { mechanism, username, password } };
  }
  const idle = ['QUITTANCE_KAFKA_USERNAME', 'QUITTANCE_KAFKA_PASSWORD'].filter(
    (name) => valueOf(env, name) !== undefined,
  );
  if (idle.length === 0) return { isTls, sasl: undefined };
  throw new StartError(
    `${idle.join(' and ')} is set without QUITTANCE_KAFKA_SASL, so that it would not be sent`,
  );
}

/** The topic alone, for services that read its record and never speak to a broker. @throws StartError */
export function topicOf(env: Environment): string {
  const topic = valueOf(env, TOPIC_VARIABLE) ?? 'quittance.events.v1';
  if (!/^[a-zA-Z0-9._-]{1,200}$/.test(topic))
    throw bad(TOPIC_VARIABLE, topic, 'a name of letters, digits, . _ -');
  return topic;
}
