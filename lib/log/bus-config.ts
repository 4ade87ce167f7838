/** Where the bus is, as the environment says it. */
import { bad, type Environment, requiredOf, valueOf } from '../base/environment.js';

/** The brokers and the topic. */
export interface BusConfig {
  /** host:port of each broker to ask first. */
  readonly brokers: readonly string[];
  readonly topic: string;
}

export const TOPIC_VARIABLE = 'QUITTANCE_KAFKA_TOPIC';
export const BUS_VARIABLES = ['QUITTANCE_KAFKA_BROKERS', TOPIC_VARIABLE] as const;

/** @throws StartError */
export function readBus(env: Environment): BusConfig {
  const name = 'QUITTANCE_KAFKA_BROKERS';
  const brokers = requiredOf(env, name, 'localhost:9092')
    .split(',')
    .map((broker) => broker.trim());
  for (const broker of brokers) {
    if (!/^[^\s:]+:\d{1,5}$/.test(broker)) throw bad(name, broker, 'host:port, separated by commas');
  }
  return { brokers, topic: topicOf(env) };
}

/** The topic alone, for services that read its record and never speak to a broker. @throws StartError */
export function topicOf(env: Environment): string {
  const topic = valueOf(env, TOPIC_VARIABLE) ?? 'quittance.events.v1';
  if (!/^[a-zA-Z0-9._-]{1,200}$/.test(topic))
    throw bad(TOPIC_VARIABLE, topic, 'a name of letters, digits, . _ -');
  return topic;
}
