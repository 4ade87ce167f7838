/** Calls with any bytes at all over both doors, and their outcome as the caller reads it from the wire. */
import { Buffer } from 'node:buffer';
import http from 'node:http';
import { type DescMethod, fromBinary, fromJson, type JsonObject, toBinary } from '@bufbuild/protobuf';
import { type Any, anyUnpack } from '@bufbuild/protobuf/wkt';
import { Client, credentials, Metadata } from '@grpc/grpc-js';
import { ErrorInfoSchema } from '../../../gen/google/rpc/error_details_pb.js';
import { StatusSchema } from '../../../gen/google/rpc/status_pb.js';

export type Wire = 'grpc' | 'connect json' | 'connect proto';
export const WIRES: readonly Wire[] = ['grpc', 'connect json', 'connect proto'];

/** What a call came to. */
export interface Outcome {
  /** The gRPC code; 0 is OK. */
  readonly code: number;
  /** One for each ErrorInfo of the error, as `domain/REASON`. */
  readonly reasons: readonly string[];
  readonly message: string;
  /** All that was said about the error, decoded to text: to look for what must not be there. */
  readonly text: string;
  /** Messages answered, still encoded (binary or JSON). */
  readonly answers: readonly Buffer[];
  /** The HTTP status; 0 over gRPC. */
  readonly httpStatus: number;
}

export interface RawClient {
  /** Sends these bytes as the one message of a call. */
  bytes(wire: Wire, method: DescMethod | string, body: Uint8Array, opts?: RawOptions): Promise<Outcome>;
  /** Sends a message given in proto3 JSON, encoded as the wire has it. */
  json(wire: Wire, method: DescMethod, json: JsonObject, opts?: RawOptions): Promise<Outcome>;
  close(): void;
}

export interface RawOptions {
  /** Sent to the server; the client itself waits longer. */
  readonly timeout_ms?: number;
  /** The header of this name, over each wire. */
  readonly authorization?: string | undefined;
  /** Over Connect: headers that replace ours. */
  readonly headers?: Readonly<Record<string, string>>;
}

const CONNECT_CODES = [
  'ok',
  'canceled',
  'unknown',
  'invalid_argument',
  'deadline_exceeded',
  'not_found',
  'already_exists',
  'permission_denied',
  'resource_exhausted',
  'failed_precondition',
  'aborted',
  'out_of_range',
  'unimplemented',
  'internal',
  'unavailable',
  'data_loss',
  'unauthenticated',
];

export function rawClient(grpcAddress: string, connectUrl: string): RawClient {
  const client = new Client(grpcAddress, credentials.createInsecure(), {
    'grpc.max_receive_message_length': -1,
    'grpc.max_send_message_length': -1,
  });
  const agent = new http.Agent({ keepAlive: true, maxSockets: 32 });
  const bytes: RawClient['bytes'] = (wire, method, body, opts = {}) => {
    const path = typeof method === 'string' ? method : `/${method.parent.typeName}/${method.name}`;
    const isStream = typeof method !== 'string' && method.methodKind !== 'unary';
    return wire === 'grpc'
      ? sendGrpc(client, path, isStream, Buffer.from(body), opts)
      : sendConnect(agent, connectUrl + path, wire === 'connect json', isStream, Buffer.from(body), opts);
  };
  return {
    bytes,
    json: (wire, method, json, opts) => {
      const body =
        wire === 'connect json'
          ? Buffer.from(JSON.stringify(json))
          : toBinary(method.input, fromJson(method.input, json));
      return bytes(wire, method, body, opts);
    },
    close: () => {
      client.close();
      agent.destroy();
    },
  };
}

const same = (bytes: Buffer): Buffer => bytes;

function sendGrpc(
  client: Client,
  path: string,
  isStream: boolean,
  body: Buffer,
  { timeout_ms, authorization }: RawOptions,
): Promise<Outcome> {
  return new Promise((resolve) => {
    const answers: Buffer[] = [];
    const metadata = new Metadata();
    if (authorization !== undefined) metadata.set('authorization', authorization);
    // Not as an option of the client, which would end the call by itself and never show what the server says.
    if (timeout_ms !== undefined) metadata.set('grpc-timeout', `${String(timeout_ms)}m`);
    const failed = (error: { code?: number; details?: string; metadata?: Metadata }) => {
      const packed = error.metadata?.get('grpc-status-details-bin')[0];
      const status = packed instanceof Buffer ? fromBinary(StatusSchema, packed) : undefined;
      const { reasons, text } = readDetails(status?.details ?? []);
      const message = error.details ?? '';
      resolve({
        code: error.code ?? 2,
        reasons,
        message,
        answers,
        httpStatus: 0,
        text: `${message} ${status?.message ?? ''} ${text}`,
      });
    };
    if (!isStream) {
      client.makeUnaryRequest(path, same, same, body, metadata, (error, answer) => {
        if (error !== null) failed(error);
        else resolve(answered([answer ?? Buffer.alloc(0)]));
      });
      return;
    }
    const call = client.makeServerStreamRequest(path, same, same, body, metadata);
    call.on('data', (answer: Buffer) => answers.push(answer));
    call.on('error', failed);
    call.on('end', () => {
      resolve(answered(answers));
    });
  });
}

function answered(answers: readonly Buffer[], httpStatus = 0): Outcome {
  return { code: 0, reasons: [], message: '', text: '', answers, httpStatus };
}

function readDetails(details: readonly Any[]): { reasons: string[]; text: string } {
  const reasons: string[] = [];
  let text = '';
  for (const detail of details) {
    const info = anyUnpack(detail, ErrorInfoSchema);
    if (info !== undefined) reasons.push(`${info.domain}/${info.reason}`);
    text += Buffer.from(detail.value).toString('latin1');
  }
  return { reasons, text };
}

async function sendConnect(
  agent: http.Agent,
  url: string,
  isJson: boolean,
  isStream: boolean,
  body: Buffer,
  opts: RawOptions,
): Promise<Outcome> {
  const kind = `application/${isStream ? 'connect+' : ''}${isJson ? 'json' : 'proto'}`;
  const head = Buffer.alloc(5);
  head.writeUInt32BE(body.length, 1);
  const { status, bytes } = await post(agent, url, isStream ? Buffer.concat([head, body]) : body, {
    'content-type': kind,
    'connect-protocol-version': '1',
    ...(opts.timeout_ms === undefined ? {} : { 'connect-timeout-ms': String(opts.timeout_ms) }),
    ...(opts.authorization === undefined ? {} : { authorization: opts.authorization }),
    ...opts.headers,
  });
  if (!isStream) return status === 200 ? answered([bytes], status) : connectFailure(bytes, status, []);
  const answers: Buffer[] = [];
  for (let at = 0; at + 5 <= bytes.length;) {
    const size = bytes.readUInt32BE(at + 1);
    const data = bytes.subarray(at + 5, at + 5 + size);
    if (((bytes[at] ?? 0) & 2) !== 0) {
      const { error } = JSON.parse(data.toString()) as { error?: object };
      if (error === undefined) return answered(answers, status);
      return connectFailure(Buffer.from(JSON.stringify(error)), status, answers);
    }
    answers.push(data);
    at += 5 + size;
  }
  return connectFailure(bytes, status, answers);
}

function connectFailure(bytes: Buffer, httpStatus: number, answers: readonly Buffer[]): Outcome {
  const text = bytes.toString();
  let error: { code?: string; message?: string; details?: { type: string; value: string }[] } = {};
  try {
    error = JSON.parse(text) as typeof error;
  } catch {
    return { code: -1, reasons: [], message: `no Connect error: ${text}`, text, answers, httpStatus };
  }
  const details = (error.details ?? []).map(({ type, value }) => ({
    $typeName: 'google.protobuf.Any' as const,
    typeUrl: `type.googleapis.com/${type}`,
    value: Buffer.from(value, 'base64'),
  }));
  const { reasons, text: inside } = readDetails(details);
  const code = CONNECT_CODES.indexOf(error.code ?? '');
  return { code, reasons, message: error.message ?? '', text: text + inside, answers, httpStatus };
}

function post(
  agent: http.Agent,
  url: string,
  body: Buffer,
  headers: Readonly<Record<string, string>>,
): Promise<{ status: number; bytes: Buffer }> {
  return new Promise((resolve, reject) => {
    const request = http.request(url, { method: 'POST', agent, headers }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () => {
        resolve({ status: response.statusCode ?? 0, bytes: Buffer.concat(chunks) });
      });
      response.on('error', reject);
    });
    request.on('error', reject);
    request.end(body);
  });
}
