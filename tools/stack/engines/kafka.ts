/** One broker of Kafka from Maven Central, which is its own controller. */
import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { kafkaClient } from '../../../lib/log/kafka-client.js';
import { freePort } from '../../../lib/process/free-port.js';
import {
  type Engine,
  type EnginePlace,
  type RunningEngine,
  installRoot,
  projectRoot,
  startProgram,
} from './engine.js';
import { madeOnce, needProgram, run } from './install.js';

const COPY = 'org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies';
const libraries = () => join(installRoot(), 'kafka', 'libs');

export const kafka: Engine = {
  name: 'kafka',
  install: async () => {
    await needProgram('java', ['default-jre-headless']);
    await madeOnce(libraries(), async (temporary) => {
      await needProgram('mvn', ['maven']);
      const pom = join(projectRoot(), 'deploy', 'kafka', 'pom.xml');
      await run('mvn', [
        '-q',
        '-B',
        '-f',
        pom,
        COPY,
        `-DoutputDirectory=${temporary}`,
        '-DincludeScope=runtime',
      ]);
    });
  },
  start: (place) => startBroker(place, () => ({})),
};

/**
 * Starts a broker.
 * @param others settings in place of ours or beside them, by ours
 */
export async function startBroker(
  place: EnginePlace,
  others: (ours: Settings) => Settings,
): Promise<RunningEngine> {
  const { host, port, directory } = place;
  const config = join(directory, 'server.properties');
  mkdirSync(directory, { recursive: true });
  // The ports may differ from the last start; the data does not depend on them.
  const ours = settingsOf(place, await freePort());
  const lines = Object.entries({ ...ours, ...others(ours) }).map(
    ([name, value]) => `${name}=${String(value)}\n`,
  );
  writeFileSync(config, lines.join(''));
  if (!existsSync(join(directory, 'data', 'meta.properties'))) await format(config);
  return startProgram({
    name: 'kafka',
    url: `${host}:${String(port)}`,
    directory,
    command: 'java',
    args: [...javaOptions(), 'kafka.Kafka', config],
    isReady: () => isInCluster(host, port),
  });
}

/** What stands in server.properties. */
export type Settings = Readonly<Record<string, string | number>>;

async function format(config: string): Promise<void> {
  // It must not begin with a dash: the tool would take it for an option.
  const id = `Q${randomBytes(16).toString('base64url').slice(1)}`;
  const tool = ['kafka.tools.StorageTool', 'format', '-t', id, '-c', config, '--ignore-formatted'];
  await run('java', [...javaOptions(), ...tool]);
}

function javaOptions(): string[] {
  return [
    '-XX:+UseSerialGC',
    // A broker that lives for minutes on a shared processor does not earn back what the second compiler costs.
    '-XX:TieredStopAtLevel=1',
    '-Xms128m',
    '-Xmx512m',
    '-cp',
    // The virtual machine expands the asterisk itself.
    join(libraries(), '*'),
  ];
}

function settingsOf(
  { host, port, advertised = port, directory }: EnginePlace,
  controllerPort: number,
): Settings {
  const one = [
    'offsets.topic.replication.factor',
    'offsets.topic.num.partitions',
    'transaction.state.log.replication.factor',
    'transaction.state.log.num.partitions',
    'transaction.state.log.min.isr',
    'share.coordinator.state.topic.replication.factor',
    'share.coordinator.state.topic.num.partitions',
    'share.coordinator.state.topic.min.isr',
  ];
  return {
    'process.roles': 'broker,controller',
    'node.id': 1,
    'controller.quorum.voters': `1@${host}:${String(controllerPort)}`,
    listeners: `PLAINTEXT://${host}:${String(port)},CONTROLLER://${host}:${String(controllerPort)}`,
    'advertised.listeners': `PLAINTEXT://${host}:${String(advertised)}`,
    'controller.listener.names': 'CONTROLLER',
    'inter.broker.listener.name': 'PLAINTEXT',
    'log.dirs': join(directory, 'data'),
    'auto.create.topics.enable': 'false',
    'group.initial.rebalance.delay.ms': 0,
    'group.min.session.timeout.ms': 1_000,
    // Otherwise the controller refuses a broker that was killed and started again for 9 s, as a duplicate.
    'broker.session.timeout.ms': 2_000,
    'broker.heartbeat.interval.ms': 500,
    ...Object.fromEntries(one.map((name) => [name, 1])),
  };
}

/**
 * Whether the broker is one that topics can be created on: it answers requests some time before its controller has taken it
 * into the cluster, and until then every creation fails for want of brokers.
 */
async function isInCluster(host: string, port: number): Promise<boolean> {
  const retry = { retries: 0 };
  const admin = kafkaClient([`${host}:${String(port)}`], 'stack', retry).admin({ retry });
  try {
    await admin.connect();
    return (await admin.describeCluster()).brokers.length > 0;
  } finally {
    await admin.disconnect();
  }
}
