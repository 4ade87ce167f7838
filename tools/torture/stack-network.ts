/** The network of a stack that is tortured: each process reaches each server, and its own kind, by a link that can be hurt. */
import type { NetConnectOpts } from 'node:net';
import { freePort } from '../../lib/process/free-port.js';
import type { EngineName, RunningEngine } from '../stack/engines/engine.js';
import type { StartingProcess } from '../stack/service-set.js';
import { type Link, openLink } from './link.js';
import type { LinkGroup } from './subject.js';

type Engines = Readonly<Record<EngineName, RunningEngine>>;

const HOST = '127.0.0.1';
const STORES = ['redis', 'mongodb', 'clickhouse'] as const;
const PEERS = 'command processes to each other';

export class StackNetwork {
  readonly #links = new Map<string, Link[]>();
  /** Kafka tells its clients where it is: all of them come by one link. */
  readonly kafkaPorts: { readonly port: number; readonly advertised: number };

  readonly #isUsed: (name: EngineName) => boolean;

  private constructor(isUsed: (name: EngineName) => boolean, kafkaPort: number, kafkaLink: Link) {
    this.#isUsed = isUsed;
    this.kafkaPorts = { port: kafkaPort, advertised: kafkaLink.port };
    this.#links.set(groupOf('kafka'), [kafkaLink]);
  }

  /** @param used the servers that the platform uses */
  static async open(used: readonly EngineName[]): Promise<StackNetwork> {
    const port = await freePort();
    const link = await openLink('all services to kafka', () => ({ host: HOST, port }));
    return new StackNetwork((name) => used.includes(name), port, link);
  }

  get groups(): readonly LinkGroup[] {
    return [...this.#links].map(([name, links]) => ({ name, links }));
  }

  /** The variables by which a process reaches what it needs. */
  async variablesOf(process: StartingProcess, engines: Engines): Promise<Record<string, string>> {
    const { service, name, grpcPort } = process;
    const { postgres } = engines;
    const database = await this.#open(groupOf('postgres'), `${name} to postgres`, () =>
      postgresPlace(postgres.url),
    );
    const own: Record<string, string> = {
      QUITTANCE_DATABASE_URL: postgresUrl(postgres.url, database.port),
      QUITTANCE_KAFKA_BROKERS: `${HOST}:${String(this.kafkaPorts.advertised)}`,
    };
    if (service === 'command') {
      const peers = await this.#open(PEERS, `to ${name}`, () => ({ host: HOST, port: grpcPort }));
      own['QUITTANCE_COMMAND_ADDRESS'] = `${HOST}:${String(peers.port)}`;
      return own;
    }
    for (const store of STORES) {
      if (this.#isUsed(store)) {
        own[`QUITTANCE_${store.toUpperCase()}_URL`] = await this.#urlOf(engines[store], store, name);
      }
    }
    return own;
  }

  async close(): Promise<void> {
    await Promise.all([...this.#links.values()].flat().map((link) => link.close()));
  }

  async #urlOf(engine: RunningEngine, kind: EngineName, process: string): Promise<string> {
    const place = (): NetConnectOpts => ({ host: HOST, port: Number(new URL(engine.url).port) });
    const { port } = await this.#open(groupOf(kind), `${process} to ${kind}`, place);
    const url = new URL(engine.url);
    url.port = String(port);
    return url.href;
  }

  async #open(group: string, name: string, target: () => NetConnectOpts): Promise<Link> {
    const link = await openLink(name, target);
    const known = this.#links.get(group);
    if (known === undefined) this.#links.set(group, [link]);
    else known.push(link);
    return link;
  }
}

function groupOf(engine: EngineName): string {
  return `services to ${engine}`;
}

/** Where the server listens: on a socket in its directory, or at a port. */
function postgresPlace(text: string): NetConnectOpts {
  const url = new URL(text.replace('@/', '@localhost/'));
  const directory = url.searchParams.get('host');
  if (directory === null) return { host: url.hostname, port: Number(url.port) };
  return { path: `${directory}/.s.PGSQL.${url.searchParams.get('port') ?? ''}` };
}

/** The same database by a port of this machine. */
function postgresUrl(text: string, port: number): string {
  const url = new URL(text.replace('@/', '@localhost/'));
  url.search = '';
  url.hostname = HOST;
  url.port = String(port);
  return url.href;
}
