/** How the whole platform connects to MongoDB. */
import { MongoClient } from 'mongodb';

/** How long to wait for a server that is away: calls have deadlines. */
const SELECTION_MS = 3_000;
const CONNECT_MS = 2_000;
const SOCKET_MS = 20_000;
const POOL = 10;

/**
 * A client; it connects with the first call. What is written is in the journals of a majority before it is
 * answered: less has lost acknowledged writes at a kill -9.
 * @param url with a database in its path.
 */
export function createMongodb(url: string, name: string): MongoClient {
  return new MongoClient(url, {
    appName: name,
    maxPoolSize: POOL,
    retryWrites: false,
    serverSelectionTimeoutMS: SELECTION_MS,
    connectTimeoutMS: CONNECT_MS,
    socketTimeoutMS: SOCKET_MS,
    writeConcern: { w: 'majority', journal: true },
    // int64 is bigint here, never a float.
    useBigInt64: true,
    promoteBuffers: true,
    ignoreUndefined: true,
  });
}

const DUPLICATE_KEY = 11_000;

interface WriteFailure {
  readonly code?: unknown;
}

/**
 * Whether all that failed of an unordered bulk was that its document is there already: an insert of something
 * immutable that comes twice. Anything else is a failure.
 */
export function isOnlyDuplicates(error: unknown): boolean {
  if (!(error instanceof Error) || !('writeErrors' in error)) return false;
  const { writeErrors, result } = error as {
    writeErrors: unknown;
    result?: { getWriteConcernError?: () => unknown };
  };
  if (result?.getWriteConcernError?.() !== undefined) return false;
  const failures = (Array.isArray(writeErrors) ? writeErrors : [writeErrors]) as WriteFailure[];
  return failures.length > 0 && failures.every(({ code }) => code === DUPLICATE_KEY);
}
