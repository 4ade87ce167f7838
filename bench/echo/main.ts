/**
 * The limit of any gRPC service here: a grpc-js server that answers every call of one method with the same bytes. It answers
 * all calls of one turn of the event loop in the next, since that lets the library write them at once: 44 instead of 66 µs a
 * call. A service that answers what it read or committed together does the same.
 */
import { type handleUnaryCall, type sendUnaryData, Server, ServerCredentials } from '@grpc/grpc-js';

const [path = '', answer = ''] = process.argv.slice(2);
const bytes = Buffer.from(answer, 'base64');
const asIs = (message: Buffer): Buffer => message;
let waiting: sendUnaryData<Buffer>[] = [];

function answerAll(): void {
  const answered = waiting;
  waiting = [];
  for (const callback of answered) callback(null, bytes);
}

const handler: handleUnaryCall<Buffer, Buffer> = (_call, callback) => {
  if (waiting.push(callback) === 1) setImmediate(answerAll);
};

const server = new Server();
server.addService(
  {
    echo: {
      path,
      requestStream: false,
      responseStream: false,
      requestSerialize: asIs,
      requestDeserialize: asIs,
      responseSerialize: asIs,
      responseDeserialize: asIs,
    },
  },
  { echo: handler },
);
server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, port) => {
  if (error !== null) throw error;
  process.stdout.write(`${port}\n`);
});
