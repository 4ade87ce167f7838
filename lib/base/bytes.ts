/** Bytes: compared, and written as text. */
import { Buffer } from 'node:buffer';

/** Whether two byte arrays have the same length and the same content. */
export function isSameBytes(one: Uint8Array, other: Uint8Array): boolean {
  return Buffer.compare(one, other) === 0;
}

/** Bytes as lower-case hexadecimal text. */
export function hexOf(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('hex');
}
