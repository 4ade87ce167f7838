/** How the whole platform connects to Kafka. */
import { Kafka, logLevel, type SASLOptions } from 'kafkajs';
import { type BusCredentials, type BusSecurity, OPEN_BUS } from './bus-config.js';

/**
 * For consumers and the admin step: a broker that is away is waited for. Publishers have their own: see
 * kafka-publisher.ts.
 */
export const PATIENT = { initialRetryTime: 100, maxRetryTime: 1_000, retries: Number.MAX_SAFE_INTEGER };

/** A client; it connects to nothing yet. Its own log is silent: consumer and publisher log what matters. */
export function kafkaClient(
  brokers: readonly string[],
  clientId: string,
  retry: object = PATIENT,
  { isTls, sasl }: BusSecurity = OPEN_BUS,
): Kafka {
  return new Kafka({
    ssl: isTls,
    ...(sasl === undefined ? {} : { sasl: saslOf(sasl) }),
    brokers: [...brokers],
    clientId,
    retry,
    connectionTimeout: 1_000,
    requestTimeout: 10_000,
    logLevel: logLevel.NOTHING,
  });
}

/** kafkajs has a type for each mechanism. */
function saslOf({ mechanism, username, password }: BusCredentials): SASLOptions {
  switch (mechanism) {
    case 'plain':
      return { mechanism, username, password };
    case 'scram-sha-256':
      return { mechanism, username, password };
    case 'scram-sha-512':
      return { mechanism, username, password };
  }
}
