/** The limit of any gRPC service here: a grpc-js server that answers every call of one method with the same bytes. */
import { type handleUnaryCall, Server, ServerCredentials } from '@grpc/grpc-js';

const [path = '', answer = ''] = process.argv.slice(2);
const bytes = Buffer.from(answer, 'base64');
const asIs = (message: Buffer): Buffer => message;
const handler: handleUnaryCall<Buffer, Buffer> = (_call, callback) => callback(null, bytes);

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
