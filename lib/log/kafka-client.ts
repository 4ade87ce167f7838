/** How the whole platform connects to Kafka. */
import { connect, isIP, type Socket } from 'node:net';
import { connect as connectSecurely } from 'node:tls';
import {
  type Admin,
  type AdminConfig,
  type Consumer,
  type ConsumerConfig,
  type ISocketFactoryArgs,
  Kafka,
  type KafkaConfig,
  logLevel,
  type Producer,
  type ProducerConfig,
  type SASLOptions,
} from 'kafkajs';
import { type BusCredentials, type BusSecurity, OPEN_BUS } from './bus-config.js';

/**
 * For consumers and the admin step: a broker that is away is waited for. Publishers have their own: see
 * kafka-publisher.ts.
 */
export const PATIENT = { initialRetryTime: 100, maxRetryTime: 1_000, retries: Number.MAX_SAFE_INTEGER };

/** How long an idle connection is silent before TCP asks whether the broker is there, as in kafkajs. */
const KEEP_ALIVE_MS = 60_000;
/** A request that has no answer for so long fails; what may take longer, such as to join a group, has its own limit. */
const REQUEST_TIMEOUT_MS = 10_000;

/** A client; it connects to nothing yet. Its own log is silent: consumer and publisher log what matters. */
export function kafkaClient(
  brokers: readonly string[],
  clientId: string,
  retry: object = PATIENT,
  { isTls, sasl }: BusSecurity = OPEN_BUS,
): Kafka {
  const connections = new Connections(isTls);
  const config = {
    ssl: isTls,
    ...(sasl === undefined ? {} : { sasl: saslOf(sasl) }),
    brokers: [...brokers],
    clientId,
    retry,
    connectionTimeout: 1_000,
    requestTimeout: REQUEST_TIMEOUT_MS,
    logLevel: logLevel.NOTHING,
    socketFactory: (place: ISocketFactoryArgs) => connections.open(place),
  };
  return new ImpatientKafka(config, connections);
}

/**
 * kafkajs fails a request that has no answer in time, and sends the next one over the same connection: where the connection is
 * open on this side only, a consumer tries so until TCP gives the connection up, which takes a quarter of an hour. This client
 * gives up all its connections at the first such request, and kafkajs makes others.
 */
class ImpatientKafka extends Kafka {
  readonly #connections: Connections;

  constructor(config: KafkaConfig, connections: Connections) {
    super(config);
    this.#connections = connections;
  }

  override producer(config?: ProducerConfig): Producer {
    const producer = super.producer(config);
    producer.on(producer.events.REQUEST_TIMEOUT, () => this.#connections.giveUp());
    return producer;
  }

  override consumer(config: ConsumerConfig): Consumer {
    const consumer = super.consumer(config);
    consumer.on(consumer.events.REQUEST_TIMEOUT, () => this.#connections.giveUp());
    return consumer;
  }

  override admin(config?: AdminConfig): Admin {
    const admin = super.admin(config);
    admin.on(admin.events.REQUEST_TIMEOUT, () => this.#connections.giveUp());
    return admin;
  }
}

/** The connections of one client. */
class Connections {
  readonly #open = new Set<Socket>();
  readonly #isTls: boolean;

  constructor(isTls: boolean) {
    this.#isTls = isTls;
  }

  /** Connects as kafkajs does. */
  open({ host, port, onConnect }: ISocketFactoryArgs): Socket {
    const place = { host, port };
    // A name is what the broker's certificate is checked for; an address must not be sent as one.
    const named = isIP(host) === 0 ? { ...place, servername: host } : place;
    const socket = this.#isTls ? connectSecurely(named, onConnect) : connect(place, onConnect);
    socket.setKeepAlive(true, KEEP_ALIVE_MS);
    this.#open.add(socket);
    socket.once('close', () => this.#open.delete(socket));
    return socket;
  }

  giveUp(): void {
    for (const socket of this.#open) socket.destroy(new Error('a request had no answer in time'));
  }
}

/** kafkajs has a type for each mechanism. */
function saslOf({ mechanism, username, password }: BusCredentials): SASLOptions {
  switch (mechanism) {
    case 'plain':
      return { mechanism, username, password };
    case 'scram-sha-256':
      return { mechanism, username, password };
    case 'scram-sha-512':
      return { mechanism, username, password };
  }
}
