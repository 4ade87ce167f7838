/** UUIDs: 36 lower-case characters in the API, 16 bytes in events. */
import { Buffer } from 'node:buffer';

/** @throws RangeError if the text is not a UUID of 36 lower-case characters; the contracts refuse such input before. */
export function uuidToBytes(text: string): Uint8Array {
  const hex = text.length === 36 ? text.replaceAll('-', '') : '';
  const bytes = Buffer.from(hex, 'hex');
  if (bytes.length !== 16) throw new RangeError('not a UUID');
  return bytes;
}

/** @throws RangeError unless given 16 bytes. */
export function uuidFromBytes(bytes: Uint8Array): string {
  if (bytes.length !== 16) throw new RangeError('not the 16 bytes of a UUID');
  const hex = Buffer.from(bytes.buffer, bytes.byteOffset, 16).toString('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}
