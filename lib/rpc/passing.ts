/** What the chain and a passage need of each other: messages are decoded and encoded only where one of them asks for it. */
import { Buffer } from 'node:buffer';
import { create, type DescMessage, fromBinary, isMessage, type Message, toBinary } from '@bufbuild/protobuf';
import { StatusSchema } from '../../gen/google/rpc/status_pb.js';
import { decodeMessage, encodeMessage } from '../base/codec/binary.js';
import { admittedRequests } from './admitted-requests.js';
import type { Decoded } from './chain.js';
import { checkedRequest } from './checked-request.js';
import { decodeBinary } from './decode.js';
import { CallError, callErrorOf, toStatus } from './errors.js';
import { EncodedMessage, type Passage, type PassedCall } from './passage.js';
import type { BidiMethod, UnaryMethod } from './service.js';
import { pacedRequests, runWithin } from './within-limits.js';

/** Methods may answer with what `create` makes a message of. */
export function asMessage(schema: DescMessage, response: object): Message {
  return isMessage(response, schema) ? response : create(schema, { ...response });
}

/** Answers a call whose request has come as bytes, and is sent on as it came. */
export function passEncoded(
  passage: Passage,
  method: UnaryMethod,
  request: EncodedMessage,
  passed: PassedCall,
): Promise<Message | EncodedMessage> {
  return passage.unary(
    passed,
    () => request.bytes,
    async () => {
      const decoded = checkedRequest(method, decodeBinary(method.desc.input, request.bytes), passed.call);
      return asMessage(method.desc.output, await runWithin(passed.limits, method, decoded, passed.call));
    },
  );
}

/** Answers a call whose door has decoded the request, and encodes the answer itself. */
export async function passDecoded(
  passage: Passage,
  method: UnaryMethod,
  request: Decoded,
  passed: PassedCall,
): Promise<Message> {
  const { input, output } = method.desc;
  const checked = checkedRequest(method, request, passed.call);
  const answer = await passage.unary(
    passed,
    () => encodeMessage(input, checked),
    async () => asMessage(output, await runWithin(passed.limits, method, checked, passed.call)),
  );
  return decodedAnswer(output, answer);
}

/** `passEncoded` for a call that streams both ways. */
export function streamEncoded(
  passage: Passage,
  method: BidiMethod,
  requests: AsyncIterable<readonly Uint8Array[]>,
  passed: PassedCall,
): AsyncIterable<readonly (Message | EncodedMessage)[]> {
  return passage.stream(passed, requests, (arriving) =>
    answersHere(method, decodedRequests(method.desc.input, arriving, passed), passed),
  );
}

/** `passDecoded` for a call that streams both ways. A message that cannot be decoded is sent on as the error that it is. */
export async function* streamDecoded(
  passage: Passage,
  method: BidiMethod,
  requests: AsyncIterable<readonly Decoded[]>,
  passed: PassedCall,
): AsyncGenerator<readonly Message[]> {
  // Nothing is read of what would be sent on, if the call is answered here.
  const answers = passage.stream(passed, encodedRequests(method.desc.input, requests), () =>
    answersHere(method, requests, passed),
  );
  for await (const group of answers) yield group.map((answer) => decodedAnswer(method.desc.output, answer));
}

async function* answersHere(
  method: BidiMethod,
  requests: AsyncIterable<readonly Decoded[]>,
  { call, limits }: PassedCall,
): AsyncGenerator<readonly Message[]> {
  const admitted = pacedRequests(limits, method, admittedRequests(method, requests, call), call);
  for await (const answers of method.run(admitted, call)) {
    yield answers.map((answer) => asMessage(method.desc.output, answer));
  }
}

/**
 * What stands for a message that the process before this one could not decode: no message begins with this byte, since there is
 * no such wire type. The error follows, as a google.rpc.Status.
 */
const FAILURE_BYTE = 0x07;

async function* decodedRequests(
  schema: DescMessage,
  requests: AsyncIterable<readonly Uint8Array[]>,
  { isForwarded }: PassedCall,
): AsyncGenerator<readonly Decoded[]> {
  for await (const group of requests) {
    yield group.map((bytes) => {
      const failure = isForwarded && bytes[0] === FAILURE_BYTE ? failureIn(bytes) : undefined;
      return failure ?? decodeBinary(schema, bytes);
    });
  }
}

/** The error that the bytes stand for; undefined if they stand for none. */
function failureIn(bytes: Uint8Array): CallError | undefined {
  try {
    return callErrorOf(fromBinary(StatusSchema, bytes.subarray(1)));
  } catch {
    return undefined;
  }
}

async function* encodedRequests(
  schema: DescMessage,
  requests: AsyncIterable<readonly Decoded[]>,
): AsyncGenerator<readonly Uint8Array[]> {
  for await (const group of requests) {
    yield group.map((request) =>
      request instanceof CallError ? encodedFailure(request) : encodeMessage(schema, request),
    );
  }
}

function encodedFailure(failure: CallError): Uint8Array {
  return Buffer.concat([Buffer.of(FAILURE_BYTE), toBinary(StatusSchema, toStatus(failure))]);
}

function decodedAnswer(schema: DescMessage, answer: Message | EncodedMessage): Message {
  return answer instanceof EncodedMessage ? decodeMessage(schema, answer.bytes) : answer;
}
