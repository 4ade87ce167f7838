/** Connections to Redis as all of the platform makes them. */
import { Cluster, Redis, type RedisOptions } from 'ioredis';

export type RedisClient = Redis | Cluster;

/** A command that is not answered by then fails: whoever waits has better to do. */
const COMMAND_ms = 3_000;
const CONNECT_ms = 2_000;
const RECONNECT_MAX_ms = 1_000;

const OPTIONS = {
  connectTimeout: CONNECT_ms,
  commandTimeout: COMMAND_ms,
  maxRetriesPerRequest: 1,
  // Look-ups of the same turn of the event loop are one message.
  enableAutoPipelining: true,
  retryStrategy: (times: number) => Math.min(50 * 2 ** Math.min(times, 6), RECONNECT_MAX_ms),
} satisfies RedisOptions;

/**
 * A client; it connects in the background and again whenever the connection is lost.
 * @param url `redis://` or `rediss://`; several nodes of a cluster separated by commas.
 */
export function createRedis(url: string, name: string): RedisClient {
  const urls = url.split(',').map((each) => each.trim());
  const [first = ''] = urls;
  const options = { ...OPTIONS, connectionName: name };
  const client: RedisClient =
    urls.length === 1
      ? new Redis(first, options)
      : new Cluster(urls, {
          redisOptions: {
            ...{ connectTimeout: CONNECT_ms, commandTimeout: COMMAND_ms, maxRetriesPerRequest: 1 },
            ...{ connectionName: name, ...credentialsOf(first) },
          },
          enableAutoPipelining: true,
          clusterRetryStrategy: (times) => Math.min(50 * 2 ** Math.min(times, 6), RECONNECT_MAX_ms),
        });
  // Commands that fail say so to who sent them.
  client.on('error', () => undefined);
  return client;
}

/** Those of the nodes that are found later are the same. */
function credentialsOf(url: string): { username?: string; password?: string; tls?: object } {
  const { username, password, protocol } = new URL(url);
  return {
    ...(username === '' ? {} : { username: decodeURIComponent(username) }),
    ...(password === '' ? {} : { password: decodeURIComponent(password) }),
    ...(protocol === 'rediss:' ? { tls: {} } : {}),
  };
}

/**
 * What is wrong with the server's settings, as a line for the log; undefined if nothing is, or if it does not tell: hosted
 * ones often forbid to ask.
 */
export async function redisWarning(client: RedisClient): Promise<string | undefined> {
  const [node] = client instanceof Cluster ? client.nodes('master') : [client];
  const answer = await node?.config('GET', 'maxmemory-policy').catch(() => undefined);
  const policy = Array.isArray(answer) ? answer[1] : undefined;
  if (typeof policy !== 'string' || policy === 'noeviction') return undefined;
  return `Redis is set to maxmemory-policy ${policy} and may throw balances away; set it to noeviction`;
}
