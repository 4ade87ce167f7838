/** UUIDs: 36 lower-case characters in the API, 16 bytes in events. By hand, since the native coders cost three times as much. */
import { Buffer } from 'node:buffer';

const DIGITS = Buffer.from('0123456789abcdef', 'latin1');
/** By the code of a character; 255 for what is no hexadecimal digit. */
const VALUES = new Uint8Array(128).fill(255);
for (let value = 0; value < 16; value += 1) VALUES[DIGITS[value] ?? 0] = value;
for (let value = 10; value < 16; value += 1) VALUES[(DIGITS[value] ?? 0) - 32] = value;

const DASH = 45;
/** Where the dashes stand in the text. */
const DASHES: readonly number[] = [8, 13, 18, 23];
/** Where the two digits of each byte start in the text. */
const STARTS: readonly number[] = [0, 2, 4, 6, 9, 11, 14, 16, 19, 21, 24, 26, 28, 30, 32, 34];
const text36 = Buffer.alloc(36, DASH);

/** @throws RangeError if the text is not a UUID of 36 characters; the contracts refuse such input before. */
export function uuidToBytes(text: string): Uint8Array {
  if (text.length !== 36) throw new RangeError('not a UUID');
  for (const at of DASHES) if (text.charCodeAt(at) !== DASH) throw new RangeError('not a UUID');
  const bytes = Buffer.allocUnsafe(16);
  for (let index = 0; index < 16; index += 1) {
    const at = STARTS[index] ?? 0;
    const high = VALUES[text.charCodeAt(at)] ?? 255;
    const low = VALUES[text.charCodeAt(at + 1)] ?? 255;
    if ((high | low) > 15) throw new RangeError('not a UUID');
    bytes[index] = (high << 4) | low;
  }
  return bytes;
}

/** @throws RangeError unless given 16 bytes. */
export function uuidFromBytes(bytes: Uint8Array): string {
  if (bytes.length !== 16) throw new RangeError('not the 16 bytes of a UUID');
  for (let index = 0; index < 16; index += 1) {
    const byte = bytes[index] ?? 0;
    const at = STARTS[index] ?? 0;
    text36[at] = DIGITS[byte >> 4] ?? 0;
    text36[at + 1] = DIGITS[byte & 15] ?? 0;
  }
  return text36.toString('latin1');
}
