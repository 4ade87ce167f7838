/** Which errors of the MongoDB driver say that MongoDB cannot be reached now. */
import { types } from 'node:util';
import { isConnectionFailure, StoreUnavailable } from '../../../base/store-unavailable.js';

/** The driver's classes for a server that it cannot find, or whose connection it lost. */
const UNAVAILABLE_NAMES = new Set([
  'MongoNetworkError',
  'MongoNetworkTimeoutError',
  'MongoNotConnectedError',
  'MongoPoolClearedError',
  'MongoServerSelectionError',
  'MongoTopologyClosedError',
]);

/** The error to throw in place of one of the driver's: StoreUnavailable, or the error itself. */
export function mongodbError(error: unknown): unknown {
  return isUnavailable(error) ? new StoreUnavailable('MongoDB', error) : error;
}

function isUnavailable(error: unknown): boolean {
  if (!types.isNativeError(error) || error instanceof StoreUnavailable) return false;
  return isConnectionFailure(error) || UNAVAILABLE_NAMES.has(error.name);
}
