/** How the whole platform connects to Kafka. */
import { Kafka, logLevel } from 'kafkajs';

/**
 * For consumers and the admin step: a broker that is away is waited for. Publishers have their own: see
 * kafka-publisher.ts.
 */
export const PATIENT = { initialRetryTime: 100, maxRetryTime: 1_000, retries: Number.MAX_SAFE_INTEGER };

/** A client; it connects to nothing yet. Its own log is silent: consumer and publisher log what matters. */
export function kafkaClient(brokers: readonly string[], clientId: string, retry: object = PATIENT): Kafka {
  return new Kafka({
    brokers: [...brokers],
    clientId,
    retry,
    connectionTimeout: 1_000,
    requestTimeout: 10_000,
    logLevel: logLevel.NOTHING,
  });
}
