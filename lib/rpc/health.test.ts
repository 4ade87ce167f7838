import { create } from '@bufbuild/protobuf';
import { describe, expect, test } from '@jest/globals';
import { Code } from '@connectrpc/connect';
import {
  HealthCheckRequestSchema,
  HealthCheckResponse_ServingStatus as Status,
} from '../../gen/grpc/health/v1/health_pb.js';
import type { Call } from './call.js';
import { createHealth, type Health } from './health.js';

const A = 'quittance.query.v1.AccountQueryService';
const B = 'quittance.query.v1.LedgerQueryService';

const callOf = (signal: AbortSignal): Call => ({
  deadline_ms: undefined,
  signal,
  aborted: undefined,
  onAbort: () => () => undefined,
  fits: () => true,
  actor: 'anonymous',
  traceId: '0'.repeat(32),
  method: 'grpc.health.v1.Health/Watch',
});

function methodOf(health: Health, name: string) {
  const method = health.service.methods.find(({ desc }) => desc.name === name);
  if (method === undefined) throw new Error(`no ${name}`);
  return method;
}

async function check(health: Health, service: string): Promise<object> {
  const method = methodOf(health, 'Check');
  if (method.kind !== 'unary') throw new Error('Check is unary');
  return method.run(create(HealthCheckRequestSchema, { service }), callOf(new AbortController().signal));
}

function watch(health: Health, service: string, signal: AbortSignal): AsyncIterator<object> {
  const method = methodOf(health, 'Watch');
  if (method.kind !== 'server_streaming') throw new Error('Watch streams');
  return method.run(create(HealthCheckRequestSchema, { service }), callOf(signal))[Symbol.asyncIterator]();
}

const sent = (status: Status) => ({ done: false, value: { status } });

describe('health', () => {
  test('a process serves when all of its services do', async () => {
    const health = createHealth([A, B]);
    expect(health.isServing()).toBe(false);
    health.set(A, true);
    expect(health.isServing(A)).toBe(true);
    expect(health.isServing()).toBe(false);
    health.set(B, true);
    expect(health.isServing()).toBe(true);
    expect(health.isServing('')).toBe(true);
    expect(await check(health, '')).toEqual({ status: Status.SERVING });
    health.set(A, false);
    expect(await check(health, '')).toEqual({ status: Status.NOT_SERVING });
    expect(await check(health, A)).toEqual({ status: Status.NOT_SERVING });
    expect(await check(health, B)).toEqual({ status: Status.SERVING });
  });

  test('Check of an unknown service is NOT_FOUND', async () => {
    const health = createHealth([A]);
    expect(health.isServing('nobody')).toBe(false);
    await expect(check(health, 'nobody')).rejects.toMatchObject({ code: Code.NotFound });
  });

  test('List names all, the process included', async () => {
    const health = createHealth([A, B]);
    health.set(A, true);
    const method = methodOf(health, 'List');
    if (method.kind !== 'unary') throw new Error('List is unary');
    const request = create(HealthCheckRequestSchema);
    expect(await method.run(request, callOf(new AbortController().signal))).toEqual({
      statuses: {
        '': { status: Status.NOT_SERVING },
        [A]: { status: Status.SERVING },
        [B]: { status: Status.NOT_SERVING },
      },
    });
  });

  test('Watch sends the status and its changes, not the same twice, the latest to a slow reader', async () => {
    const health = createHealth([A]);
    const statuses = watch(health, A, new AbortController().signal);
    expect(await statuses.next()).toEqual(sent(Status.NOT_SERVING));
    const next = statuses.next();
    health.set(A, false);
    health.set(A, true);
    expect(await next).toEqual(sent(Status.SERVING));
    health.set(A, false);
    health.set(A, true);
    health.set(A, false);
    expect(await statuses.next()).toEqual(sent(Status.NOT_SERVING));
  });

  test('Watch of an unknown service says so, stays open, and tells when it becomes known', async () => {
    const health = createHealth([A]);
    const statuses = watch(health, B, new AbortController().signal);
    expect(await statuses.next()).toEqual(sent(Status.SERVICE_UNKNOWN));
    const next = statuses.next();
    health.set(B, true);
    expect(await next).toEqual(sent(Status.SERVING));
  });

  test('Watch ends with its call', async () => {
    const caller = new AbortController();
    const statuses = watch(createHealth([A]), '', caller.signal);
    await statuses.next();
    const next = statuses.next();
    caller.abort();
    await expect(next).rejects.toMatchObject({ name: 'AbortError' });
  });

  test('nothing serves after shutdown, whatever is set', async () => {
    const health = createHealth([A]);
    health.set(A, true);
    const statuses = watch(health, '', new AbortController().signal);
    expect(await statuses.next()).toEqual(sent(Status.SERVING));
    health.shutdown();
    health.set(A, true);
    expect(await statuses.next()).toEqual(sent(Status.NOT_SERVING));
    expect(health.isServing(A)).toBe(false);
    expect(createHealth([]).isServing()).toBe(true);
  });
});
