/** What every adapter throws while its store or broker cannot be reached, whatever its driver throws. */

import { types } from 'node:util';

/** The products that an adapter speaks to. */
export type StoreName = 'PostgreSQL' | 'Redis' | 'MongoDB' | 'ClickHouse' | 'Kafka';

/** A store cannot be reached, or takes no work, now: the same call may succeed later. The driver's own error is the cause. */
export class StoreUnavailable extends Error {
  override readonly name = 'StoreUnavailable';

  constructor(
    readonly store: StoreName,
    cause: unknown,
  ) {
    super(`${store} is unavailable: ${wordsOf(cause)}`, { cause });
  }
}

/** Node's errors of sockets and of name look-ups that say that there is no connection to the other side. */
const CONNECTION_CODES = new Set([
  'EAI_AGAIN',
  'ECONNREFUSED',
  'ECONNRESET',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOENT',
  'ENOTFOUND',
  'EPIPE',
  'ETIMEDOUT',
]);

/** Whether Node could not connect, or lost the connection. ENOENT: a Unix socket that is not there. */
export function isConnectionFailure(error: unknown): boolean {
  const code = codeOf(error);
  return code !== undefined && CONNECTION_CODES.has(code);
}

/** The code that Node, and most drivers, give their errors; undefined where it is not a text. */
export function codeOf(error: unknown): string | undefined {
  const code: unknown = types.isNativeError(error) && 'code' in error ? error.code : undefined;
  return typeof code === 'string' ? code : undefined;
}

/** Node gives the failure to connect to several addresses of one name no text of its own. */
function wordsOf(cause: unknown): string {
  if (!types.isNativeError(cause)) return String(cause);
  return cause.message === '' ? (codeOf(cause) ?? cause.name) : cause.message;
}
