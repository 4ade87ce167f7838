/** Which errors of node-postgres say that PostgreSQL cannot be reached now. */
import { types } from 'node:util';
import { codeOf, isConnectionFailure, StoreUnavailable } from '../base/store-unavailable.js';

/**
 * SQLSTATE classes 08 (connection), 53 (out of resources), 57 (operator: shutdown, or cancelled by a
 * timeout); 25006 is a standby that is not promoted yet, 3D000 a database that is not restored yet.
 */
const UNAVAILABLE_CODES = /^((08|53|57)...|25006|3D000)$/;

/** The beginnings of errors for which node-postgres has no code. */
const CONNECTION_TEXTS =
  /^(Connection terminated|Query read timeout|timeout exceeded when trying to connect|Client has encountered a connection error)/;

/** The error to throw in place of one of the driver's: StoreUnavailable, or the error itself. */
export function postgresError(error: unknown): unknown {
  return isUnavailable(error) ? new StoreUnavailable('PostgreSQL', error) : error;
}

function isUnavailable(error: unknown): boolean {
  if (!types.isNativeError(error) || error instanceof StoreUnavailable) return false;
  return (
    isConnectionFailure(error) ||
    UNAVAILABLE_CODES.test(codeOf(error) ?? '') ||
    CONNECTION_TEXTS.test(error.message)
  );
}
