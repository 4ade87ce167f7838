/** Sending through a server that breaks the connection: what was not answered is sent again, in order, under the same ids. */
import { afterEach, expect, test } from '@jest/globals';
import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import { type handleBidiStreamingCall, Server, ServerCredentials, status } from '@grpc/grpc-js';
import { promisify } from 'node:util';
import {
  type Command,
  StreamCommandsRequestSchema,
  StreamCommandsResponseSchema,
  type StreamCommandsRequest,
  type StreamCommandsResponse,
} from '../../gen/quittance/command/v1/transaction_command_service_pb.js';
import { callErrorOf, describe } from '../client/errors.js';
import { grpcClient } from '../client/grpc-client.js';
import { createLedgerCommand } from './commands.js';
import { type Item, sendAll } from './send.js';

type Handler = handleBidiStreamingCall<StreamCommandsRequest, StreamCommandsResponse>;

const open: Server[] = [];

afterEach(() => {
  for (const server of open.splice(0)) server.forceShutdown();
});

/** A server whose StreamCommands is this; a new one at the same port takes over from a stopped one. */
async function serve(handler: Handler, port = 0): Promise<number> {
  const server = new Server();
  open.push(server);
  server.addService(
    {
      streamCommands: {
        path: '/quittance.command.v1.TransactionCommandService/StreamCommands',
        requestStream: true,
        responseStream: true,
        requestSerialize: (message: StreamCommandsRequest) =>
          Buffer.from(toBinary(StreamCommandsRequestSchema, message)),
        requestDeserialize: (bytes: Buffer) => fromBinary(StreamCommandsRequestSchema, bytes),
        responseSerialize: (message: StreamCommandsResponse) =>
          Buffer.from(toBinary(StreamCommandsResponseSchema, message)),
        responseDeserialize: (bytes: Buffer) => fromBinary(StreamCommandsResponseSchema, bytes),
      },
    },
    { streamCommands: handler },
  );
  return promisify(server.bindAsync.bind(server))(`127.0.0.1:${port}`, ServerCredentials.createInsecure());
}

function answer(index: number, position = 0n): StreamCommandsResponse {
  const value = { position };
  return create(StreamCommandsResponseSchema, {
    index: BigInt(index),
    result: { result: { case: 'createLedger', value } },
  });
}

function items(count: number): AsyncIterable<Item<number>> {
  return (async function* () {
    for (let n = 0; n < count; n += 1) yield { about: n, command: commandOf(n) };
  })();
}

function commandOf(n: number): Command {
  return createLedgerCommand({ ledgerId: `ledger-${n}`, withCounterparty: false, withDescription: false });
}

function nameOf(request: StreamCommandsRequest): string {
  const { command } = request.command ?? {};
  return command?.case === 'createLedger' ? command.value.ledgerId : 'none';
}

const explain = (error: unknown): string => describe(callErrorOf(error));

async function send(port: number, count: number, patience_ms = 5000) {
  const client = grpcClient(`127.0.0.1:${port}`);
  const answered: number[] = [];
  const retries: string[] = [];
  try {
    await sendAll(client, items(count), {
      patience_ms,
      onAnswer: (about) => answered.push(about),
      onRetry: (why) => retries.push(why),
      explain,
    });
  } finally {
    client.close();
  }
  return { answered, retries };
}

const counting = (count: number): number[] => Array.from({ length: count }, (_, n) => n);

test('all are answered in order, whatever flow control does to them', async () => {
  const port = await serve((call) => {
    let index = 0;
    call.on('data', () => {
      if (!call.write(answer(index))) {
        call.pause();
        call.once('drain', () => call.resume());
      }
      index += 1;
    });
    call.on('end', () => call.end());
  });
  expect(await send(port, 3_000)).toEqual({ answered: counting(3_000), retries: [] });
});

test('after UNAVAILABLE the unanswered ones come again, first to last, and none is answered twice', async () => {
  const streams: string[][] = [];
  const port = await serve((call) => {
    const seen: string[] = [];
    const isFirst = streams.push(seen) === 1;
    call.on('data', (request: StreamCommandsRequest) => {
      seen.push(nameOf(request));
      if (!isFirst) call.write(answer(seen.length - 1));
      else if (seen.length <= 30) call.write(answer(seen.length - 1));
      else if (seen.length === 50) call.emit('error', { code: status.UNAVAILABLE, details: 'going down' });
    });
    call.on('end', () => call.end());
  });
  const { answered, retries } = await send(port, 100);
  expect(answered).toEqual(counting(100));
  expect(retries).toHaveLength(1);
  expect(streams[0]?.slice(0, 50)).toEqual(counting(50).map((n) => `ledger-${n}`));
  // Answers that were written before the error may or may not have arrived; from the first that did not, all come again.
  const again = streams[1] ?? [];
  expect(again).toEqual(
    counting(100)
      .slice(100 - again.length)
      .map((n) => `ledger-${n}`),
  );
  expect(again.length).toBeGreaterThanOrEqual(70);
});

test('a server that is killed and started again is found again', async () => {
  let killed: () => void = () => undefined;
  const dead = new Promise<void>((resolve) => (killed = resolve));
  const port = await serve((call) => {
    let index = 0;
    call.on('data', () => {
      if (index < 10) call.write(answer(index));
      index += 1;
      if (index === 20) {
        open[0]?.forceShutdown();
        killed();
      }
    });
  });
  const sending = send(port, 50);
  await dead;
  await serve((call) => {
    let index = 0;
    call.on('data', () => call.write(answer(index++)));
    call.on('end', () => call.end());
  }, port);
  const { answered, retries } = await sending;
  expect(answered).toEqual(counting(50));
  expect(retries).not.toEqual([]);
});

test('an item that answers UNAVAILABLE is sent again with all behind it', async () => {
  let streams = 0;
  const port = await serve((call) => {
    streams += 1;
    let index = 0;
    call.on('data', () => {
      const failing = streams === 1 && index === 5;
      const error = { code: status.UNAVAILABLE, message: 'no store' };
      call.write(
        failing
          ? create(StreamCommandsResponseSchema, {
              index: BigInt(index),
              result: { result: { case: 'error', value: error } },
            })
          : answer(index),
      );
      index += 1;
    });
    call.on('end', () => call.end());
  });
  const { answered, retries } = await send(port, 10);
  expect(answered).toEqual(counting(10));
  expect(retries).toEqual(['UNAVAILABLE: no store']);
});

test('patience ends where nothing is answered', async () => {
  const port = await serve((call) =>
    call.emit('error', { code: status.UNAVAILABLE, details: 'closed today' }),
  );
  await expect(send(port, 3, 300)).rejects.toThrow('giving up: UNAVAILABLE: closed today');
});

test('an error that will not go away ends it at once', async () => {
  const port = await serve((call) =>
    call.emit('error', { code: status.UNIMPLEMENTED, details: 'what stream?' }),
  );
  await expect(send(port, 3)).rejects.toThrow('what stream?');
});

test('a source that waits for answers is waited for over a lost connection, and loses nothing', async () => {
  let streams = 0;
  const port = await serve((call) => {
    streams += 1;
    const isFirst = streams === 1;
    let index = 0;
    call.on('data', () => {
      if (isFirst && index === 1) call.emit('error', { code: status.UNAVAILABLE, details: 'gone' });
      else call.write(answer(index));
      index += 1;
    });
    call.on('end', () => call.end());
  });
  const client = grpcClient(`127.0.0.1:${port}`);
  const answered: number[] = [];
  let wake: () => void = () => undefined;
  // Each item is given only once the one before is answered.
  const patient = (async function* () {
    for (let n = 0; n < 4; n += 1) {
      while (answered.length < n) await new Promise<void>((resolve) => (wake = resolve));
      yield { about: n, command: commandOf(n) };
    }
  })();
  await sendAll(client, patient, {
    patience_ms: 5000,
    onAnswer: (about) => {
      answered.push(about);
      wake();
    },
    onRetry: () => undefined,
    explain,
  });
  client.close();
  expect({ answered, streams }).toEqual({ answered: [0, 1, 2, 3], streams: 2 });
});

test('a source that fails ends it with its own error', async () => {
  const port = await serve((call) => {
    call.on('data', () => call.write(answer(0)));
    call.on('end', () => call.end());
  });
  const client = grpcClient(`127.0.0.1:${port}`);
  const broken = (async function* () {
    yield { about: 0, command: commandOf(0) };
    throw new Error('line 3: unreadable');
  })();
  const sending = sendAll(client, broken, {
    patience_ms: 1000,
    onAnswer: () => undefined,
    onRetry: () => undefined,
    explain,
  });
  await expect(sending).rejects.toThrow('line 3: unreadable');
  client.close();
});
