/** A way to Kafka that is open on the client's side only: nothing is answered there, and nothing says that it is lost. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { until } from '../../test/until.js';
import { kafka } from '../../tools/stack/engines/kafka.js';
import { openLink } from '../../tools/torture/link.js';
import { freePort } from '../process/free-port.js';
import { Recorder } from './contract/bus.js';
import { kafkaHarness } from './test/kafka-harness.js';

const HOST = '127.0.0.1';

test('a consumer goes on over other connections', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'kafka-'));
  const port = await freePort();
  const link = await openLink('to kafka', () => ({ host: HOST, port }));
  const broker = await kafka.start({ host: HOST, port, advertised: link.port, directory });
  const brokers = [`${HOST}:${String(link.port)}`];
  const harness = await kafkaHarness(brokers);
  const stop = new AbortController();
  const recorder = new Recorder();
  const consuming = harness.bus.consume(recorder, stop.signal);
  consuming.catch(() => undefined);
  const hasAll = () => {
    const head = BigInt(harness.log.events.length - 1);
    return [0, 1, 2, 3].every((partition) => recorder.at.get(partition)?.position === head);
  };
  try {
    harness.log.fill(40);
    await until(hasAll);
    link.hurt('halfOpen');
    // The way is free again at once; the connections that were open are lost, and nothing tells the clients.
    link.restore();
    harness.log.fill(40);
    await until(hasAll);
    expect(recorder.gaps).toBe(0);
  } finally {
    stop.abort();
    await consuming.catch(() => undefined);
    await harness.stop();
    await link.close();
    await broker.stop();
    await rm(directory, { recursive: true, force: true, maxRetries: 10 });
  }
});
