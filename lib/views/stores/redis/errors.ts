/**
 * Which errors of ioredis, and which answers of Redis, say that Redis cannot be reached or takes no commands
 * now.
 */
import { types } from 'node:util';
import { isConnectionFailure, StoreUnavailable } from '../../../base/store-unavailable.js';

/** ioredis gave up: all retries of a command, or all nodes of a cluster, have failed. */
const FAILED_NAMES = new Set(['MaxRetriesPerRequestError', 'ClusterAllFailedError']);

/** The beginnings of errors for which ioredis has neither a code nor a name. */
const CONNECTION_TEXTS = /^(Command timed out|Connection is closed|Stream isn't writeable)/;

/**
 * What a server answers while it loads its data, has lost its cluster or its master, moves slots, or is full.
 */
const REFUSALS = /^(LOADING|CLUSTERDOWN|MASTERDOWN|READONLY|TRYAGAIN|OOM) /;

/** The error to throw in place of one of the driver's: StoreUnavailable, or the error itself. */
export function redisError(error: unknown): unknown {
  return isUnavailable(error) ? new StoreUnavailable('Redis', error) : error;
}

function isUnavailable(error: unknown): boolean {
  if (!types.isNativeError(error) || error instanceof StoreUnavailable) return false;
  return (
    isConnectionFailure(error) ||
    FAILED_NAMES.has(error.name) ||
    CONNECTION_TEXTS.test(error.message) ||
    REFUSALS.test(error.message)
  );
}
