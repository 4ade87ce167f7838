/** The service of the conformance suite, written like any service of ours; headers and trailers go beside it. */
import { AsyncLocalStorage } from 'node:async_hooks';
import { create, type Message, type MessageInitShape } from '@bufbuild/protobuf';
import { anyPack, type Any } from '@bufbuild/protobuf/wkt';
import { CallError } from '../../lib/rpc/errors.js';
import type { Call } from '../../lib/rpc/call.js';
import { pause } from '../../lib/base/pause.js';
import type { Service } from '../../lib/rpc/service.js';
import {
  type BidiStreamRequest,
  BidiStreamRequestSchema,
  ConformancePayload_RequestInfoSchema,
  type ConformancePayloadSchema,
  ConformanceService,
  type Error as WantedError,
  type Header,
  IdempotentUnaryRequestSchema,
  type ServerStreamRequest,
  ServerStreamRequestSchema,
  type UnaryRequest,
  UnaryRequestSchema,
} from './gen/connectrpc/conformance/v1/service_pb.js';

/** What the suite wants to see beside messages; each door fills it in and sends it. */
export interface Aside {
  readonly requestHeaders: readonly (readonly [string, string])[];
  /** Of a call by GET. */
  readonly query: readonly (readonly [string, string])[];
  headers: readonly Header[];
  trailers: readonly Header[];
  error: WantedError | undefined;
}

export const aside = new AsyncLocalStorage<Aside>();

function here(): Aside {
  const store = aside.getStore();
  if (store === undefined) throw new Error('the door ran a method outside of its aside');
  return store;
}

function infoOf(requests: readonly Any[], call: Call, isFirst = true) {
  const { requestHeaders, query } = here();
  const timeoutMs =
    call.deadline_ms === undefined ? undefined : BigInt(Math.round(call.deadline_ms - Date.now()));
  return create(ConformancePayload_RequestInfoSchema, {
    requests: [...requests],
    requestHeaders: isFirst ? grouped(requestHeaders) : [],
    ...(isFirst && timeoutMs !== undefined ? { timeoutMs } : {}),
    ...(isFirst && query.length > 0 ? { connectGetInfo: { queryParams: grouped(query) } } : {}),
  });
}

function grouped(pairs: readonly (readonly [string, string])[]) {
  const names = new Map<string, string[]>();
  for (const [name, value] of pairs) names.set(name, [...(names.get(name) ?? []), value]);
  return [...names].map(([name, value]) => ({ name, value }));
}

/** The error that the suite asks for. The door that carries it puts it in the place of ours. */
function wanted(error: WantedError, details: readonly Any[]): Error {
  here().error = { ...error, details: [...error.details, ...details] };
  return new Error('wanted by the suite');
}

async function unary(
  request: UnaryRequest,
  call: Call,
  schema: typeof UnaryRequestSchema | typeof IdempotentUnaryRequestSchema,
): Promise<{ payload: MessageInitShape<typeof ConformancePayloadSchema> }> {
  const definition = request.responseDefinition;
  const requestInfo = infoOf([anyPack(schema, { ...request, $typeName: schema.typeName } as never)], call);
  here().headers = definition?.responseHeaders ?? [];
  here().trailers = definition?.responseTrailers ?? [];
  await pause(definition?.responseDelayMs ?? 0, call.signal);
  const response = definition?.response;
  if (response?.case === 'error') {
    throw wanted(response.value, [anyPack(ConformancePayload_RequestInfoSchema, requestInfo)]);
  }
  return { payload: { requestInfo, ...(response?.case === 'responseData' ? { data: response.value } : {}) } };
}

async function* serverStream({ ...request }: ServerStreamRequest, call: Call) {
  const definition = request.responseDefinition;
  const requestInfo = infoOf([anyPack(ServerStreamRequestSchema, request)], call);
  here().headers = definition?.responseHeaders ?? [];
  here().trailers = definition?.responseTrailers ?? [];
  let isFirst = true;
  for (const data of definition?.responseData ?? []) {
    await pause(definition?.responseDelayMs ?? 0, call.signal);
    call.signal.throwIfAborted();
    yield { payload: { data, ...(isFirst ? { requestInfo } : {}) } };
    isFirst = false;
  }
  if (definition?.error !== undefined) {
    const details = isFirst ? [anyPack(ConformancePayload_RequestInfoSchema, requestInfo)] : [];
    throw wanted(definition.error, details);
  }
}

async function* bidiStream(requests: AsyncIterable<BidiStreamRequest | CallError>, call: Call) {
  let definition: BidiStreamRequest['responseDefinition'];
  let isFullDuplex = false;
  let seen: Any[] = [];
  let received = 0;
  let sent = 0;
  const next = async (data: Uint8Array) => {
    await pause(definition?.responseDelayMs ?? 0, call.signal);
    call.signal.throwIfAborted();
    const requestInfo = seen.length > 0 || sent === 0 ? infoOf(seen, call, sent === 0) : undefined;
    seen = [];
    sent += 1;
    return { payload: { data, ...(requestInfo === undefined ? {} : { requestInfo }) } };
  };
  for await (const request of requests) {
    if (request instanceof CallError) throw request;
    if (received === 0) {
      definition = request.responseDefinition;
      isFullDuplex = request.fullDuplex;
      here().headers = definition?.responseHeaders ?? [];
      here().trailers = definition?.responseTrailers ?? [];
    }
    received += 1;
    seen.push(anyPack(BidiStreamRequestSchema, request));
    if (!isFullDuplex) continue;
    const data = definition?.responseData[sent];
    if (data === undefined) break;
    yield await next(data);
  }
  for (const data of definition?.responseData.slice(sent) ?? []) yield await next(data);
  if (definition?.error !== undefined) {
    const details = sent === 0 ? [anyPack(ConformancePayload_RequestInfoSchema, infoOf(seen, call))] : [];
    throw wanted(definition.error, details);
  }
}

/** The suite asks for answers between messages: each is taken and answered alone. */
async function* oneByOne(groups: AsyncIterable<readonly (Message | CallError)[]>) {
  for await (const group of groups) yield* group as readonly (BidiStreamRequest | CallError)[];
}

async function* oneEach<T>(answers: AsyncIterable<T>): AsyncGenerator<readonly T[]> {
  for await (const answer of answers) yield [answer];
}

const { method } = ConformanceService;
const nameOf = (name: string) => `${ConformanceService.typeName}/${name}`;

/** Without the method that streams from the client only, which the doors do not offer, and the one that is to be missing. */
export const conformanceService: Service = {
  desc: ConformanceService,
  methods: [
    {
      kind: 'unary',
      desc: method.unary,
      name: nameOf('Unary'),
      run: (request, call) => unary(request as UnaryRequest, call, UnaryRequestSchema),
    },
    {
      kind: 'unary',
      desc: method.idempotentUnary,
      name: nameOf('IdempotentUnary'),
      run: (request, call) => unary(request as UnaryRequest, call, IdempotentUnaryRequestSchema),
    },
    {
      kind: 'server_streaming',
      desc: method.serverStream,
      name: nameOf('ServerStream'),
      run: (request, call) => serverStream(request as ServerStreamRequest, call),
    },
    {
      kind: 'bidi_streaming',
      desc: method.bidiStream,
      name: nameOf('BidiStream'),
      run: (requests, call) => oneEach(bidiStream(oneByOne(requests), call)),
    },
  ],
};
