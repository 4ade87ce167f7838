/** Runs methods within the limits of their callers. */
import type { Message } from '@bufbuild/protobuf';
import type { Call } from './call.js';
import type { CallLimits } from './call-limits.js';
import type { Decoded } from './chain.js';
import type { Method, ServerStreamMethod, UnaryMethod } from './service.js';

/** Answers one request. @throws CallError RATE_LIMITED */
export function runWithin(
  limits: CallLimits | undefined,
  method: UnaryMethod,
  request: Message,
  call: Call,
): Promise<object> {
  if (limits?.concerns(method) !== true) return method.run(request, call);
  return limits.admit(method, request, call).then(() => method.run(request, call));
}

/** Answers one request with a stream, which counts once. @throws CallError RATE_LIMITED */
export async function* streamWithin(
  limits: CallLimits | undefined,
  method: ServerStreamMethod,
  request: Message,
  call: Call,
): AsyncGenerator<object> {
  if (limits?.concerns(method) === true) await limits.admit(method, request, call);
  yield* method.run(request, call);
}

/** The requests of a stream both ways, no faster than its caller may send them. */
export function pacedRequests(
  limits: CallLimits | undefined,
  method: Method,
  requests: AsyncIterable<readonly Decoded[]>,
  call: Call,
): AsyncIterable<readonly Decoded[]> {
  return limits?.concerns(method) === true ? paced(limits, method, requests, call) : requests;
}

async function* paced(
  limits: CallLimits,
  method: Method,
  requests: AsyncIterable<readonly Decoded[]>,
  call: Call,
): AsyncGenerator<readonly Decoded[]> {
  for await (const group of requests) {
    await limits.pace(method, group, call);
    yield group;
  }
}
