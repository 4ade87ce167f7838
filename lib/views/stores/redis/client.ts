/** The client of Redis: one server or a cluster, whose commands fail within seconds while Redis is away. */
import { Cluster, type ClusterNode, type Command, Redis, type RedisOptions } from 'ioredis';

/** One server, or a cluster. */
export type RedisClient = Redis | Cluster;

export interface RedisClientOptions {
  /** As Redis lists the connection. */
  readonly name?: string;
  /** Called with each failure of a connection. The client connects again by itself, without end. */
  readonly onError?: (error: Error) => void;
  /** How long a command may take, milliseconds. */
  readonly commandTimeout_ms?: number;
}

/** A command that waited for its turn in a pipeline has waited twice as long at most. */
const COMMAND_TIMEOUT_MS = 2_000;
const CONNECT_TIMEOUT_MS = 2_000;
/** A connection that owes an answer for so long is dead, whatever TCP says. */
const SOCKET_TIMEOUT_MS = 5_000;
const LONGEST_RETRY_PAUSE_MS = 1_000;
/**
 * Commands wait for so many failed connections, some 300 ms where connections are refused, then they fail.
 */
const RETRIES_PER_REQUEST = 2;

/**
 * Connects to `redis://[user:password@]host[:port][/database]`, or `rediss://` for TLS; several of them,
 * separated by commas, are nodes of one cluster (user and password of the first hold for all). Resolves
 * nothing: commands wait until it is connected, and fail within seconds while Redis is away. Commands to one
 * server of the same turn of the event loop travel together. A command whose connection broke is sent again,
 * perhaps for the second time: each must bear that.
 * @throws TypeError if a URL is none.
 */
export function createRedis(url: string, options: RedisClientOptions = {}): RedisClient {
  const nodes = url.split(',').map((one) => nodeOf(one.trim()));
  const [first] = nodes;
  if (first === undefined) throw new TypeError('no URL of a Redis');
  const client = nodes.length > 1 ? clusterOf(nodes, first, options) : serverOf(first, options);
  // Without a listener an error of a connection would end the process.
  client.on('error', (error: Error) => options.onError?.(error));
  return client;
}

interface Node {
  readonly host: string;
  readonly port: number;
  readonly credentials: Pick<RedisOptions, 'username' | 'password' | 'tls'>;
  readonly database: number;
}

const DEFAULT_PORT = 6379;

function nodeOf(text: string): Node {
  const url = new URL(text);
  const username = decodeURIComponent(url.username);
  const password = decodeURIComponent(url.password);
  return {
    // URL writes IPv6 in brackets, sockets are opened without.
    host: url.hostname.replace(/^\[(.*)\]$/, '$1') || 'localhost',
    port: url.port === '' ? DEFAULT_PORT : Number(url.port),
    credentials: {
      ...(username === '' ? {} : { username }),
      ...(password === '' ? {} : { password }),
      ...(url.protocol === 'rediss:' ? { tls: { servername: url.hostname } } : {}),
    },
    database: Number(url.pathname.slice(1)),
  };
}

function retryPause_ms(attempts: number): number {
  return Math.min(LONGEST_RETRY_PAUSE_MS, 50 * 2 ** Math.min(attempts, 10));
}

function connectionOptions({ name, commandTimeout_ms = COMMAND_TIMEOUT_MS }: RedisClientOptions) {
  return {
    ...(name === undefined ? {} : { connectionName: name }),
    connectTimeout: CONNECT_TIMEOUT_MS,
    commandTimeout: commandTimeout_ms,
    socketTimeout: SOCKET_TIMEOUT_MS,
    maxRetriesPerRequest: RETRIES_PER_REQUEST,
  };
}

function serverOf({ host, port, credentials, database }: Node, options: RedisClientOptions): Redis {
  return new Redis({
    ...connectionOptions(options),
    ...credentials,
    host,
    port,
    db: database,
    enableAutoPipelining: true,
    retryStrategy: retryPause_ms,
    // A master that became a replica: its name leads to the new one. 2: connect again and send the command
    // again.
    reconnectOnError: (error) => (error.message.startsWith('READONLY') ? 2 : false),
  });
}

function clusterOf(nodes: readonly Node[], first: Node, options: RedisClientOptions): Cluster {
  return new BoundedCluster(
    options.commandTimeout_ms ?? COMMAND_TIMEOUT_MS,
    nodes.map(({ host, port }) => ({ host, port })),
    {
      redisOptions: { ...connectionOptions(options), ...first.credentials },
      // Managed clusters announce names that their certificates hold.
      dnsLookup: (address, callback) => callback(null, address),
      // Not in a cluster: of a pipeline over several slots ioredis follows no redirection, so that while
      // slots move commands fail with MOVED for seconds. A command alone follows.
      enableAutoPipelining: false,
      clusterRetryStrategy: retryPause_ms,
      maxRedirections: 8,
    },
  );
}

/** A command that waits for the cluster, or is redirected within it, has one time limit for all of that. */
class BoundedCluster extends Cluster {
  readonly #timeout_ms: number;

  constructor(timeout_ms: number, nodes: ClusterNode[], options: LegacyClusterOptions) {
    super(nodes, options);
    this.#timeout_ms = timeout_ms;
  }

  override sendCommand(command: Command, ...rest: Rest<Parameters<Cluster['sendCommand']>>): unknown {
    // ioredis sets it when a command goes to a node, and only if it was not set before.
    command.setTimeout(this.#timeout_ms);
    return super.sendCommand(command, ...rest);
  }
}

/** With replies as they have always been, which is ioredis' default. */
type LegacyClusterOptions = NonNullable<ConstructorParameters<typeof Cluster<'legacy'>>[1]>;
type Rest<T extends readonly unknown[]> = T extends [unknown, ...infer R] ? R : never;

/** Of each server that holds keys a client. */
export function mastersOf(client: RedisClient): readonly Redis[] {
  return client instanceof Cluster ? client.nodes('master') : [client];
}

/** Runs a script on keys of one slot. */
export type RedisScript = (keys: readonly string[], args: readonly (string | number)[]) => Promise<unknown>;

/** A script, sent once per connection and then called by its hash. The name is used for this script only. */
export function redisScript(client: RedisClient, name: string, lua: string, keys: number): RedisScript {
  client.defineCommand(name, { lua, numberOfKeys: keys });
  // ioredis adds a method by this name, which no type can know of.
  const methods = client as unknown as Record<string, (...args: (string | number)[]) => Promise<unknown>>;
  return (keysOfCall, args) => {
    const run = methods[name];
    if (run === undefined) throw new Error(`${name} was not defined`);
    return run.call(client, ...keysOfCall, ...args);
  };
}
