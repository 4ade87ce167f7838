/** What only the distributed platform can show: several processes of a service, and servers that are away. */
import { randomUUID } from 'node:crypto';
import { toJsonString } from '@bufbuild/protobuf';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { Redis } from 'ioredis';
import { Health, HealthCheckResponse_ServingStatus } from '../../../gen/grpc/health/v1/health_pb.js';
import { TransactionCommandService } from '../../../gen/quittance/command/v1/transaction_command_service_pb.js';
import {
  ProjectionService,
  ProjectionState,
  RebuildPhase,
} from '../../../gen/quittance/ops/v1/projection_service_pb.js';
import {
  GetSystemResponseSchema,
  SystemMode,
  SystemService,
} from '../../../gen/quittance/ops/v1/system_service_pb.js';
import { WebhookService, WebhookState } from '../../../gen/quittance/ops/v1/webhook_service_pb.js';
import { AccountQueryService } from '../../../gen/quittance/query/v1/account_query_service_pb.js';
import { EventQueryService } from '../../../gen/quittance/query/v1/event_query_service_pb.js';
import { ReportQueryService } from '../../../gen/quittance/query/v1/report_query_service_pb.js';
import { TransactionQueryService } from '../../../gen/quittance/query/v1/transaction_query_service_pb.js';
import { documentedMetrics, shownMetrics } from '../../../test/documented-metrics.js';
import {
  endingOf,
  openBooks,
  patientClient,
  paymentOf,
  proveBooks,
  timesInLog,
  until,
  untilEveryViewHas,
  vainEndingOf,
} from '../../../test/load.js';
import type { GrpcClient } from '../../client/grpc-client.js';
import { pause } from '../../../lib/base/pause.js';
import { kafkaClient } from '../../../lib/log/kafka-client.js';
import { partitioner } from '../../../lib/log/partition.js';
import { positionOf, startReceiver } from '../../../services/webhooks/test/receiver.js';
import type { RunningEngine } from '../engines/engine.js';
import { type OwnStack, startOwnStack } from './own-stack.js';

const { submitPayment } = TransactionCommandService.method;
const { getBalance } = AccountQueryService.method;
const { getTransaction } = TransactionQueryService.method;
const { getTrialBalance } = ReportQueryService.method;
const projections = ProjectionService.method;
const VIEWS = ['balances', 'history', 'reports'] as const;
const PARTITIONS = 12;
/** Lives through all tests. */
const STANDING = ledgerIn(0, 'standing');
const ACCOUNTS = 4;
const freshAs = (value: string) => ({ requirement: { case: 'atLeastAsFresh' as const, value } });

let platform: OwnStack;
let client: GrpcClient;
let queries: GrpcClient[];
let projectors: GrpcClient[];
/**
 * What a test pays in: the standing ledger, and three of its own in other partitions. Both projectors have some of these
 * partitions, however they divide them; and to prove such ledgers takes no longer at the last test than at the first.
 */
let ledgers: readonly string[];
let tests = 0;

beforeAll(async () => {
  platform = await startOwnStack({ projectors: 2, queries: 2 });
  client = patientClient(platform.grpcAddress);
  queries = platform.stack.queries.map(({ addresses }) => patientClient(addresses.grpc));
  projectors = platform.stack.projectors.map(({ addresses }) => patientClient(addresses.grpc));
  await openBooks(client, STANDING, ACCOUNTS);
  await untilEveryViewHas(client, STANDING);
});

beforeEach(async () => {
  tests += 1;
  const own = [1, 6, 7].map((partition) => ledgerIn(partition, `test-${String(tests)}`));
  await Promise.all(own.map((ledgerId) => openBooks(client, ledgerId, ACCOUNTS)));
  ledgers = [STANDING, ...own];
});

afterAll(async () => {
  for (const one of [client, ...queries, ...projectors]) one.close();
  await platform.stop();
});

/** The name of a ledger that lives in a partition. */
function ledgerIn(partition: number, prefix: string): string {
  const partitionOf = partitioner(PARTITIONS);
  for (let number = 1; ; number += 1) {
    const ledgerId = `${prefix}-${String(number)}`;
    if (partitionOf(ledgerId) === partition) return ledgerId;
  }
}

/** The n-th of some, over and over. */
function at<T>(values: readonly T[], index: number): T {
  const found = values[index % values.length];
  if (found === undefined) throw new Error('there is none');
  return found;
}

const accountOf = (index: number) => `a${String(index % ACCOUNTS)}`;

/** All ledgers in turn, and in each of them all accounts. */
const payment = (index: number, requestId = randomUUID()) => {
  const turn = Math.floor(index / ledgers.length);
  return paymentOf(at(ledgers, index), accountOf(turn), accountOf(turn + 1), requestId);
};

/** A pause of each caller: the server that stands in for MongoDB takes some 200 payments a second. */
const THINK_ms = 150;
/** The same after a while: a machine that is too busy to rebuild a view beside so many payments gets fewer. */
const LATE_THINK_ms = 1_000;
const LATE_ms = 10_000;
/** Of a rebuild, and of the test with it: at load 32 that of the reports took more than two minutes. */
const REBUILD_LIMIT_ms = 240_000;
const REBUILD_TEST_LIMIT_ms = 400_000;
/** Of the deliveries of a webhook. */
const WEBHOOK_LIMIT_ms = 120_000;
/** Between two reads while a view is rebuilt: the rebuild needs a processor too. */
const READ_ms = 50;

interface Load {
  /** Resolves when so many more were paid. */
  more(count: number): Promise<void>;
}

/** Pays all the while, in all ledgers, until the work is done. How the payments ended, and how often each. */
async function underLoad(
  work: (load: Load) => Promise<void>,
  late_ms = Number.POSITIVE_INFINITY,
): Promise<ReadonlyMap<string, number>> {
  let isOver = false;
  const began_ms = performance.now();
  const endings = new Map<string, number>();
  const paid = () => endings.get('OK') ?? 0;
  const callers = Array.from({ length: 8 }, async (_, caller) => {
    for (let index = caller; !isOver; index += 9) {
      const ending = await endingOf(client.unary(submitPayment, payment(index)));
      endings.set(ending, (endings.get(ending) ?? 0) + 1);
      await pause(performance.now() - began_ms > late_ms ? LATE_THINK_ms : THINK_ms);
    }
  });
  const more = (count: number) => {
    const before = paid();
    return until(`${String(count)} more were paid`, () => paid() >= before + count);
  };
  try {
    await work({ more });
  } finally {
    isOver = true;
    await Promise.all(callers);
  }
  return endings;
}

async function proveAll(): Promise<void> {
  await Promise.all(ledgers.map((ledgerId) => proveBooks(platform.grpcAddress, ledgerId)));
}

test('each process says of itself what it is and how it stands, and tells no store', async () => {
  const ask = (from: GrpcClient) => from.unary(SystemService.method.getSystem, {});
  // The gateway takes all operations to projectors.
  const { grpc } = platform.stack.command.addresses;
  const decider = patientClient(grpc);
  const command = await ask(decider).finally(() => decider.close());
  expect(command).toMatchObject({
    mode: SystemMode.DISTRIBUTED,
    process: 'command',
    addresses: { grpc },
    queue: { deciding: true },
    lease: { held: true, holderAddress: '' },
    relay: { up: true },
    views: [],
  });
  const position = command.log?.position ?? -1n;
  expect(position).toBeGreaterThan(0n);
  for (const [process, clients] of [
    ['projector', projectors],
    ['query', queries],
  ] as const) {
    for (const system of await Promise.all(clients.map(ask))) {
      expect(system).toMatchObject({ mode: SystemMode.DISTRIBUTED, process });
      expect([system.queue, system.lease, system.relay]).toEqual([undefined, undefined, undefined]);
      expect(system.log?.position).toBeGreaterThanOrEqual(position);
      expect(system.views.map(({ projectionId }) => projectionId)).toEqual(VIEWS);
      expect(toJsonString(GetSystemResponseSchema, system)).not.toMatch(/postgres|mongodb|redis|clickhouse/i);
    }
  }
});

const projectionOf = async (projectionId: string, from: GrpcClient = at(projectors, 0)) => {
  const { projection } = await from.unary(projections.getProjection, { projectionId });
  if (projection === undefined) throw new Error('an answer has the projection');
  return projection;
};

const isState = async (projectionId: string, state: ProjectionState) =>
  (await projectionOf(projectionId)).state === state;

async function allRunning(): Promise<void> {
  for (const view of VIEWS) {
    await until(`${view} runs`, () => isState(view, ProjectionState.RUNNING));
  }
}

describe('several processes', () => {
  // First, as a comparison reads each ledger there is, and by then enough accounts for the balances.
  test.each(['history', 'reports', 'balances'] as const)(
    '%s is rebuilt under load, compared before the switch, and no read fails',
    async (view) => {
      const { generation } = await projectionOf(view);
      const seenByTheOther = () => projectionOf(view, at(projectors, 1));
      const endings = await underLoad(async () => {
        await at(projectors, 0).unary(projections.rebuildProjection, { projectionId: view });
        const hasEnded = async () => (await seenByTheOther()).rebuild?.endTime !== undefined;
        const end_ms = performance.now() + REBUILD_LIMIT_ms;
        while (!(await hasEnded()) && performance.now() < end_ms) {
          for (const query of queries) await query.unary(getBalance, { ledgerId: STANDING, accountId: 'a1' });
          await at(queries, 0).unary(getTrialBalance, { ledgerId: STANDING });
          await pause(READ_ms);
        }
      }, LATE_ms);
      const { rebuild } = await seenByTheOther();
      expect(rebuild).toMatchObject({ phase: RebuildPhase.DONE, differentRows: 0n, failure: '' });
      expect(rebuild?.comparedRows).toBeGreaterThan(30n);
      await until('both serve it', async () => {
        const seen = await Promise.all(projectors.map((each) => projectionOf(view, each)));
        return seen.every((each) => each.generation !== generation);
      });
      expect([...endings.keys()]).toEqual(['OK']);
      await proveAll();
    },
    REBUILD_TEST_LIMIT_ms,
  );

  test('a token is honoured by any query process, for every view', async () => {
    for (let index = 0; index < 40; index += 1) {
      const request = payment(index);
      const { consistencyToken, position } = await client.unary(submitPayment, request);
      const { ledgerId, requestId: transactionId, payeeAccountId: accountId } = request;
      const consistency = freshAs(consistencyToken);
      const query = at(queries, index);
      const [balance, made, report] = await Promise.all([
        query.unary(getBalance, { ledgerId, accountId, consistency }),
        query.unary(getTransaction, { ledgerId, transactionId, consistency }),
        query.unary(getTrialBalance, { ledgerId, consistency }),
      ]);
      for (const { asOf } of [balance, made, report]) expect(asOf?.position).toBeGreaterThanOrEqual(position);
      expect(made.transaction?.transactionId).toBe(transactionId);
    }
  });

  test('partitions move under load when a projector is killed and when it comes back; nothing is lost or doubled', async () => {
    const [, second] = platform.stack.projectors;
    if (second === undefined) throw new Error('there are two');
    const endings = await underLoad(async ({ more }) => {
      await more(100);
      await second.kill();
      await more(200);
      await platform.stack.restart(second);
      await more(200);
    });
    expect([...endings.keys()]).toEqual(['OK']);
    await proveAll();
  });

  test('a pause by one holds for all, and the other ends it', async () => {
    const [one, other] = [at(projectors, 0), at(projectors, 1)];
    await one.unary(projections.pauseProjection, { projectionId: 'balances' });
    await until('both say so', async () => {
      const states = await Promise.all(projectors.map((each) => projectionOf('balances', each)));
      return states.every(({ state }) => state === ProjectionState.PAUSED);
    });
    // A process that answers "paused" finishes the batch under way, which holds no later payment, and applies no other.
    const request = payment(3);
    const { consistencyToken } = await client.unary(submitPayment, request);
    const { ledgerId, payeeAccountId: accountId } = request;
    const consistency = freshAs(consistencyToken);
    const fresh = { ledgerId, accountId, consistency };
    expect(await vainEndingOf(platform.connectUrl, getBalance, fresh)).toBe('READ_MODEL_BEHIND');
    await other.unary(projections.resumeProjection, { projectionId: 'balances' });
    await at(queries, 1).unary(getBalance, { ledgerId, accountId, consistency });
  });

  test('a webhook that one projector has created is served in order, each event once', async () => {
    const receiver = await startReceiver();
    const [one, other] = [at(projectors, 0), at(projectors, 1)];
    const key = { ledgerId: at(ledgers, 1), webhookId: 'all' };
    try {
      await one.unary(WebhookService.method.createWebhook, { ...key, url: receiver.url, startPosition: 0n });
      for (let index = 0; index < 20; index += 1) {
        await client.unary(submitPayment, paymentOf(key.ledgerId, accountOf(index), accountOf(index + 1)));
      }
      const events = EventQueryService.method.listEvents;
      const listed = await at(queries, 0).unary(events, { ledgerId: key.ledgerId, pageSize: 1_000 });
      const positions = listed.events.map(({ event }) => event?.position);
      await until('the receiver has all', () => receiver.taken.length >= positions.length, WEBHOOK_LIMIT_ms);
      expect(receiver.taken.map((id) => positionOf({ id }))).toEqual(positions);
      const { webhook } = await other.unary(WebhookService.method.getWebhook, key);
      expect(webhook).toMatchObject({ parkedCount: 0n, state: WebhookState.ACTIVE });
    } finally {
      await one.unary(WebhookService.method.deleteWebhook, key);
      await receiver.close();
    }
  });

  test.each([
    ['command', 'c', () => platform.stack.command],
    ['projector', 'p', () => at(platform.stack.projectors, 0)],
    ['query', 'q', () => at(platform.stack.queries, 0)],
  ] as const)('%s shows the metrics that docs/operations.md lists for it', async (_name, place, service) => {
    const text = await (await fetch(`${service().addresses.connect}/metrics`)).text();
    // Labels show with the first series of a metric: the test of the embedded platform compares them.
    const withoutLabels = (lines: readonly string[]) => lines.map((line) => line.split(' ').slice(0, 2));
    expect(withoutLabels(shownMetrics(text))).toEqual(withoutLabels(documentedMetrics(place)));
  });
});

describe('what is away', () => {
  const engine = (name: keyof OwnStack['stack']['engines']): RunningEngine => platform.stack.engines[name];
  const { listTransactions } = TransactionQueryService.method;
  const read = {
    balances: () => at(queries, 0).unary(getBalance, { ledgerId: STANDING, accountId: 'a1' }),
    history: () => at(queries, 0).unary(listTransactions, { ledgerId: STANDING, pageSize: 1 }),
    reports: () => at(queries, 0).unary(getTrialBalance, { ledgerId: STANDING }),
  };
  /** Kills a server, does something without it, and starts it again whatever came of that. */
  const without = async (one: RunningEngine, work: () => Promise<void>) => {
    await one.kill();
    await work().finally(() => platform.stack.restart(one));
  };
  const pays = () => endingOf(client.unary(submitPayment, payment(1)));
  const relayServes = async () => {
    const command = patientClient(platform.stack.command.addresses.grpc);
    const { status } = await command
      .unary(Health.method.check, { service: 'quittance.relay' })
      .finally(() => {
        command.close();
      });
    return status === HealthCheckResponse_ServingStatus.SERVING;
  };

  const relayLag = async () => {
    const text = await (await fetch(`${platform.stack.command.addresses.connect}/metrics`)).text();
    return Number(/^quittance_relay_lag_events (\d+)$/m.exec(text)?.[1]);
  };

  test('Kafka: commands are taken, reads say how old they are, the relay goes on where it was', async () => {
    await without(engine('kafka'), async () => {
      const ids = Array.from({ length: 50 }, () => randomUUID());
      for (const [index, id] of ids.entries()) await client.unary(submitPayment, payment(index, id));
      const { consistencyToken, position } = await client.unary(submitPayment, payment(1));
      expect((await read.balances()).asOf?.position).toBeLessThan(position);
      const fresh = { ledgerId: STANDING, accountId: 'a1', consistency: freshAs(consistencyToken) };
      expect(await vainEndingOf(platform.connectUrl, getBalance, fresh)).toBe('READ_MODEL_BEHIND');
      await until('health says so', async () => !(await relayServes()));
      expect((await projectionOf('balances')).lagEvents).toBeGreaterThan(50n);
    });
    await until('the relay sends', relayServes);
    await proveAll();
  });

  test('what Kafka has dropped before a projection has read it comes from the log', async () => {
    const topic = 'quittance.events.v1';
    await at(projectors, 0).unary(projections.pauseProjection, { projectionId: 'balances' });
    await until('all pause', async () => {
      const states = await Promise.all(projectors.map((each) => projectionOf('balances', each)));
      return states.every(({ state }) => state === ProjectionState.PAUSED);
    });
    try {
      for (let index = 0; index < 40; index += 1) await client.unary(submitPayment, payment(index));
      await until('all is relayed', async () => (await relayLag()) === 0);
      const admin = kafkaClient([engine('kafka').url], 'test').admin();
      await admin.connect();
      const ends = await admin.fetchTopicOffsets(topic);
      const partitions = ends.map(({ partition, high }) => ({ partition, offset: high }));
      await admin.deleteTopicRecords({ topic, partitions });
      await admin.disconnect();
    } finally {
      await at(projectors, 1).unary(projections.resumeProjection, { projectionId: 'balances' });
    }
    for (const index of ledgers.keys()) await client.unary(submitPayment, payment(index));
    await proveAll();
  });

  test.each([
    ['redis', 'balances', ['history', 'reports']],
    ['mongodb', 'history', ['balances', 'reports']],
    ['clickhouse', 'reports', ['balances', 'history']],
  ] as const)('%s: only %s cannot be read, and catches up by itself', async (name, view, others) => {
    await without(engine(name), async () => {
      expect(await pays()).toBe('OK');
      const isAway = async () => (await endingOf(read[view]())) === 'DEPENDENCY_UNAVAILABLE';
      await until('reads say so', isAway);
      for (const other of others) await read[other]();
      await until('the projection says so', () => isState(view, ProjectionState.FAILED));
      expect((await projectionOf(view)).failure).toContain(`the store of the ${view} view`);
      expect(await pays()).toBe('OK');
    });
    await until('it is read again', async () => (await endingOf(read[view]())) === 'OK');
    await allRunning();
    await proveAll();
  });

  test('a Redis that was emptied is noticed, and its view is built again from the log', async () => {
    const redis = new Redis(engine('redis').url);
    const { generation } = await projectionOf('balances');
    await redis.flushall();
    await client.unary(submitPayment, payment(1));
    // The log is short: the new view serves at once, and has the account as soon as it has caught up.
    await until('it is there again', async () => (await endingOf(read.balances())) === 'OK');
    redis.disconnect();
    expect((await read.balances()).balance?.accountId).toBe('a1');
    // While there is none, balances are read in the history, and the projector says generation 0.
    await until(
      'another one serves',
      async () => ![0, generation].includes((await projectionOf('balances')).generation),
    );
    await proveAll();
  });

  test('PostgreSQL: nothing is committed and nothing is lost; reads of the views go on', async () => {
    const ids = Array.from({ length: 40 }, () => randomUUID());
    const calls = ids.map((id, index) => endingOf(client.unary(submitPayment, payment(index, id), 20_000)));
    await without(engine('postgres'), async () => {
      await read.balances();
    });
    const endings = await Promise.all(calls);
    await until('commands are taken again', async () => (await pays()) === 'OK');
    // Each id that was answered OK is in the log once, and no id twice.
    const counts = await Promise.all(
      ledgers.map((ledgerId) => timesInLog(platform.database.config, ledgerId, ids)),
    );
    for (const [index, ending] of endings.entries()) {
      const times = counts.reduce((sum, each) => sum + (each[index] ?? 0), 0);
      expect(times).toBeLessThanOrEqual(1);
      if (ending === 'OK') expect(times).toBe(1);
    }
    await allRunning();
    await proveAll();
  });

  test('a command service that is killed goes on where the log ends', async () => {
    await underLoad(async ({ more }) => {
      await more(50);
      await platform.stack.command.kill();
      await platform.stack.restart(platform.stack.command);
      await more(100);
    });
    await proveAll();
  });
});
