/** What the errors of @clickhouse/client, and the answers of ClickHouse, say. */
import { types } from 'node:util';
import { ClickHouseError } from '@clickhouse/client';
import { codeOf, isConnectionFailure, StoreUnavailable } from '../../../base/store-unavailable.js';

/**
 * The beginnings of errors for which the client has no code: its own timeout, and Node's text for a lost
 * connection.
 */
const CONNECTION_TEXTS = /^(Timeout error|[Ss]ocket hang up)/;

/** The error to throw in place of one of the driver's: StoreUnavailable, or the error itself. */
export function clickhouseError(error: unknown): unknown {
  return isUnavailable(error) ? new StoreUnavailable('ClickHouse', error) : error;
}

function isUnavailable(error: unknown): boolean {
  if (!types.isNativeError(error) || error instanceof StoreUnavailable) return false;
  return isConnectionFailure(error) || CONNECTION_TEXTS.test(error.message);
}

/** Whether a connection was closed under a call. */
export function isConnectionLost(error: unknown): boolean {
  if (!types.isNativeError(error) || error instanceof ClickHouseError) return false;
  const code = codeOf(error);
  return code === 'ECONNRESET' || code === 'EPIPE' || /hang up/.test(error.message);
}

const UNKNOWN_TABLE = '60';
const UNKNOWN_DATABASE = '81';
const TABLE_IS_DROPPED = '218';
const TABLE_ALREADY_EXISTS = '57';

/** Whether ClickHouse answered that a table, or its database, is not there. */
export function isMissing(error: unknown): boolean {
  return (
    error instanceof ClickHouseError &&
    (error.code === UNKNOWN_TABLE || error.code === UNKNOWN_DATABASE || error.code === TABLE_IS_DROPPED)
  );
}

/** Whether ClickHouse answered that a table is there already. */
export function isThere(error: unknown): boolean {
  return error instanceof ClickHouseError && error.code === TABLE_ALREADY_EXISTS;
}

/**
 * Answers that say "not now": TOO_SLOW, TOO_MANY_SIMULTANEOUS_QUERIES, SOCKET_TIMEOUT, MEMORY_LIMIT_EXCEEDED,
 * …
 */
const BUSY = new Set(['159', '160', '202', '209', '210', '241', '242', '252', '319', '999']);

/** Whether ClickHouse looked at what it was sent and refused it, rather than being away or busy. */
export function isRefusal(error: unknown): boolean {
  return error instanceof ClickHouseError && !BUSY.has(error.code) && !isMissing(error);
}
