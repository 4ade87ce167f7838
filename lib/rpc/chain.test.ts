import { create } from '@bufbuild/protobuf';
import { afterEach, expect, test } from '@jest/globals';
import { pino } from 'pino';
import { Registry } from 'prom-client';
import {
  LedgerQueryService,
  ListLedgersRequestSchema,
} from '../../gen/quittance/query/v1/ledger_query_service_pb.js';
import { type AbortListeners, watchAbortListeners } from '../../test/abort-listeners.js';
import { pause } from '../base/pause.js';
import type { Call } from './call.js';
import { callMetrics } from './call-metrics.js';
import { createChain, DEFAULT_CHAIN_LIMITS } from './chain.js';
import { implement } from './service.js';

let listeners: AbortListeners | undefined;

afterEach(() => {
  listeners?.stop();
});

/** Runs one call of a method; gives what the method made of it. */
async function run<T>(deadline_ms: number | undefined, method: (call: Call) => Promise<T>): Promise<T> {
  const chain = createChain({
    logger: pino({ enabled: false }),
    metrics: callMetrics(new Registry()),
    ...DEFAULT_CHAIN_LIMITS,
  });
  let made: T | undefined;
  const service = implement(LedgerQueryService, {
    getLedger: () => Promise.reject(new Error('not asked for')),
    listAssets: () => Promise.reject(new Error('not asked for')),
    listLedgers: async (_request, call) => {
      made = await method(call);
      return {};
    },
  });
  const found = service.methods.find(({ desc }) => desc.name === 'ListLedgers');
  if (found?.kind !== 'unary') throw new Error('ListLedgers is unary');
  const { signal } = new AbortController();
  const origin = { deadline_ms, signal, traceparent: undefined, fits: () => true };
  await chain.unary(found, create(ListLedgersRequestSchema), origin);
  if (made === undefined) throw new Error('the method was not called');
  return made;
}

test('a method sees the deadline that its caller set, at most the limit of the server, and none if there is none', async () => {
  const seen = (deadline_ms: number | undefined) =>
    run(deadline_ms, async (call) => ({ deadline_ms: call.deadline_ms }));
  expect(await seen(undefined)).toEqual({ deadline_ms: undefined });
  const soon_ms = Date.now() + 10_000;
  expect(await seen(soon_ms)).toEqual({ deadline_ms: soon_ms });
  const before_ms = Date.now();
  const { deadline_ms = 0 } = await seen(Date.now() + 3_600_000);
  expect(deadline_ms).toBeGreaterThanOrEqual(before_ms + DEFAULT_CHAIN_LIMITS.unaryLimit_ms);
  expect(deadline_ms).toBeLessThanOrEqual(Date.now() + DEFAULT_CHAIN_LIMITS.unaryLimit_ms);
});

test('a read that waits for twelve partitions listens twelve times to the end of its call', async () => {
  listeners = watchAbortListeners();
  const partitions = Array.from({ length: 12 }, (_, partition) => partition);
  await run(undefined, (call) => Promise.all(partitions.map(() => pause(1, call.signal))));
  expect(listeners.mostTooMany).toBe(0);
});
