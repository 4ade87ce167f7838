/** Frames of HTTP/2 as bytes (RFC 9113, 4 and 6). */
import { Buffer } from 'node:buffer';

export const FRAME_HEADER_BYTES = 9;
/** What each side accepts unless it says more, and all that we accept. */
export const FRAME_MAX_BYTES = 16_384;
export const FRAME_MAX_BYTES_LIMIT = 2 ** 24 - 1;
export const PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 'latin1');

export const FrameType = {
  data: 0,
  headers: 1,
  priority: 2,
  resetStream: 3,
  settings: 4,
  pushPromise: 5,
  ping: 6,
  goAway: 7,
  windowUpdate: 8,
  continuation: 9,
} as const;

export const FLAG_END_STREAM = 1;
export const FLAG_ACK = 1;
export const FLAG_END_HEADERS = 4;
export const FLAG_PADDED = 8;
export const FLAG_PRIORITY = 32;

export const Setting = {
  headerTableSize: 1,
  enablePush: 2,
  maxConcurrentStreams: 3,
  initialWindowSize: 4,
  maxFrameSize: 5,
  maxHeaderListSize: 6,
} as const;
export const SETTING_BYTES = 6;

export const PING_BYTES = 8;
export const PRIORITY_BYTES = 5;

/** The largest window that HTTP/2 allows. */
export const WINDOW_LIMIT = 2 ** 31 - 1;
export const DEFAULT_WINDOW = 65_535;

/** Writes the nine bytes before a payload. */
export function writeFrameHeader(
  into: Buffer,
  at: number,
  length: number,
  type: number,
  flags: number,
  streamId: number,
): void {
  into[at] = length >>> 16;
  into[at + 1] = length >>> 8;
  into[at + 2] = length;
  into[at + 3] = type;
  into[at + 4] = flags;
  writeUint32(into, at + 5, streamId);
}

export function writeUint32(into: Buffer, at: number, value: number): void {
  into[at] = value >>> 24;
  into[at + 1] = value >>> 16;
  into[at + 2] = value >>> 8;
  into[at + 3] = value;
}

export function readUint16(from: Buffer, at: number): number {
  return ((from[at] ?? 0) << 8) | (from[at + 1] ?? 0);
}

export function readUint24(from: Buffer, at: number): number {
  return ((from[at] ?? 0) << 16) | ((from[at + 1] ?? 0) << 8) | (from[at + 2] ?? 0);
}

/** The highest bit is reserved where a stream or an increment stands, and ignored. */
export function readUint31(from: Buffer, at: number): number {
  return readUint32(from, at) & 0x7fffffff;
}

export function readUint32(from: Buffer, at: number): number {
  return (readUint24(from, at) * 256 + (from[at + 3] ?? 0)) >>> 0;
}
