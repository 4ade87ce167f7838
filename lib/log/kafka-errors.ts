/** Which errors of kafkajs say that no broker can be reached now. */
import { types } from 'node:util';
import { isConnectionFailure, StoreUnavailable } from '../base/store-unavailable.js';

/**
 * kafkajs marks what it would try again; these are the classes for connections that it could not open or
 * lost.
 */
const UNAVAILABLE_NAMES = new Set([
  'KafkaJSBrokerNotFound',
  'KafkaJSConnectionClosedError',
  'KafkaJSConnectionError',
  'KafkaJSNoBrokerAvailableError',
  'KafkaJSRequestTimeoutError',
]);

/** The error to throw in place of one of the driver's: StoreUnavailable, or the error itself. */
export function kafkaError(error: unknown): unknown {
  return isUnavailable(error) ? new StoreUnavailable('Kafka', error) : error;
}

function isUnavailable(error: unknown): boolean {
  if (!types.isNativeError(error) || error instanceof StoreUnavailable) return false;
  // kafkajs wraps the last failure when it has used up its retries.
  if (error.name === 'KafkaJSNumberOfRetriesExceeded') return isUnavailable(error.cause);
  return isConnectionFailure(error) || UNAVAILABLE_NAMES.has(error.name);
}
