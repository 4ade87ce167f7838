/** Answers as gRPC sends them: each after a prefix that says whether it is compressed, and its length. */
import { Buffer } from 'node:buffer';
import type { DescMessage, Message } from '@bufbuild/protobuf';
import { encodeAfter } from '../../base/codec/binary.js';

/** One or more messages with their prefixes, to be written as they are. */
export class Frames {
  constructor(readonly bytes: Buffer) {}
}

export const PREFIX_BYTES = 5;

/** Encodes a message after its prefix. @throws Error what `toBinary` throws. */
export function frameOf(schema: DescMessage, message: Message): Buffer {
  return withPrefix(encodeAfter(PREFIX_BYTES, schema, message));
}

/** Copies an encoded message behind a prefix. */
export function frameAround(message: Uint8Array): Buffer {
  const frame = Buffer.allocUnsafe(PREFIX_BYTES + message.length);
  frame.set(message, PREFIX_BYTES);
  return withPrefix(frame);
}

function withPrefix(frame: Buffer): Buffer {
  frame[0] = 0;
  frame.writeUInt32BE(frame.length - PREFIX_BYTES, 1);
  return frame;
}
