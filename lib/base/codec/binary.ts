/**
 * Messages to bytes and back, byte for byte what protobuf-es makes and reads, at a fraction of its price: the library
 * reflects over every field of every message, which was half of the CPU time of a payment. Message types are compiled
 * to straight code when they are first seen; what those do not know goes through the library, so that its errors and
 * its leniencies stay what they are.
 */
import { Buffer } from 'node:buffer';
import { type DescMessage, fromBinary, type Message, type MessageShape, toBinary } from '@bufbuild/protobuf';
import { decodeCompiled } from './decode.js';
import { encodeCompiled } from './encode.js';

/**
 * What `toBinary` would give, except that it may be a Buffer on Node's shared pool: use its offsets if you take its
 * `buffer`, and remember that a Buffer's `slice` does not copy.
 * @throws Error what `toBinary` throws.
 */
export function encodeMessage(schema: DescMessage, message: Message): Uint8Array {
  return encodeCompiled(schema, message) ?? toBinary(schema, message);
}

/** The same after `leading` bytes, which the caller fills. @throws Error what `toBinary` throws. */
export function encodeAfter(leading: number, schema: DescMessage, message: Message): Buffer {
  const encoded = encodeCompiled(schema, message, leading);
  if (encoded !== undefined) return encoded;
  const body = toBinary(schema, message);
  const bytes = Buffer.allocUnsafe(leading + body.length);
  bytes.set(body, leading);
  return bytes;
}

/**
 * What `fromBinary` would give; `bytes` fields are views of the input, as there.
 * @throws Error what `fromBinary` throws.
 */
export function decodeMessage<D extends DescMessage>(schema: D, bytes: Uint8Array): MessageShape<D> {
  // The compiled decoder fills exactly what the descriptor says.
  return (decodeCompiled(schema, bytes) as MessageShape<D> | undefined) ?? fromBinary(schema, bytes);
}
