/** HTTP/2 framing, as little of it as a load client needs (RFC 9113, RFC 7541). */

export const FRAME_HEADER_BYTES = 9;
export const MAX_FRAME_BYTES = 16_384;
export const PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 'latin1');

export const FrameType = {
  data: 0,
  headers: 1,
  resetStream: 3,
  settings: 4,
  ping: 6,
  goAway: 7,
  windowUpdate: 8,
} as const;

export const FLAG_END_STREAM = 1;
export const FLAG_ACK = 1;
export const FLAG_END_HEADERS = 4;

/** The largest window that HTTP/2 allows. */
export const MAX_WINDOW = 2 ** 31 - 1;
export const DEFAULT_WINDOW = 65_535;

/** A token is hardly longer, and all headers go into one frame. */
const LITERAL_MAX_BYTES = 8_192;

const SETTING_HEADER_TABLE_SIZE = 1;
const SETTING_ENABLE_PUSH = 2;
export const SETTING_INITIAL_WINDOW_SIZE = 4;

/** A whole frame. */
export function frame(type: number, flags: number, streamId: number, payload: Uint8Array): Buffer {
  const bytes = Buffer.allocUnsafe(FRAME_HEADER_BYTES + payload.length);
  writeFrameHeader(bytes, 0, { length: payload.length, type, flags, streamId });
  bytes.set(payload, FRAME_HEADER_BYTES);
  return bytes;
}

/** What the nine bytes before a payload say. */
export interface FrameHeader {
  readonly length: number;
  readonly type: number;
  readonly flags: number;
  readonly streamId: number;
}

/** Writes the nine bytes before a payload. */
export function writeFrameHeader(
  into: Buffer,
  at: number,
  { length, type, flags, streamId }: FrameHeader,
): void {
  into.writeUIntBE(length, at, 3);
  into[at + 3] = type;
  into[at + 4] = flags;
  into.writeUInt32BE(streamId, at + 5);
}

/** What the client says first: no table of headers, no push, windows that are never in the way. */
export function clientSettings(): Buffer {
  const settings: readonly (readonly [number, number])[] = [
    [SETTING_HEADER_TABLE_SIZE, 0],
    [SETTING_ENABLE_PUSH, 0],
    [SETTING_INITIAL_WINDOW_SIZE, MAX_WINDOW],
  ];
  const payload = Buffer.alloc(settings.length * 6);
  settings.forEach(([id, value], index) => {
    payload.writeUInt16BE(id, index * 6);
    payload.writeUInt32BE(value, index * 6 + 2);
  });
  return frame(FrameType.settings, 0, 0, payload);
}

/** Gives the peer more room, on a stream or (0) on the connection. */
export function windowUpdate(streamId: number, bytes: number): Buffer {
  const payload = Buffer.alloc(4);
  payload.writeUInt32BE(bytes);
  return frame(FrameType.windowUpdate, 0, streamId, payload);
}

/** The headers of a gRPC call, encoded once and sent with every call: literals without Huffman coding or table. */
export function grpcHeaders(
  path: string,
  authority: string,
  timeout: string,
  authorization?: string,
): Buffer {
  const literal = (name: Buffer, value: string): Buffer =>
    Buffer.concat([name, lengthBytes(value.length), Buffer.from(value, 'latin1')]);
  const named = (name: string): Buffer =>
    Buffer.concat([Buffer.from([0, name.length]), Buffer.from(name, 'latin1')]);
  return Buffer.concat([
    // Of the static table: `:method: POST`, `:scheme: http`, the names `:path`, `:authority`, `content-type`.
    Buffer.from([0x83, 0x86]),
    literal(Buffer.from([0x04]), path),
    literal(Buffer.from([0x01]), authority),
    literal(Buffer.from([0x0f, 0x10]), 'application/grpc'),
    literal(named('te'), 'trailers'),
    literal(named('grpc-timeout'), timeout),
    authorization === undefined ? Buffer.alloc(0) : literal(named('authorization'), authorization),
  ]);
}

/** The length of a literal, an integer with a prefix of 7 bits (RFC 7541, 5.1). */
function lengthBytes(length: number): Buffer {
  if (length > LITERAL_MAX_BYTES)
    throw new RangeError(
      `a header has at most ${String(LITERAL_MAX_BYTES)} bytes here, not ${String(length)}`,
    );
  if (length < 0x7f) return Buffer.from([length]);
  const rest = length - 0x7f;
  return rest < 0x80 ? Buffer.from([0x7f, rest]) : Buffer.from([0x7f, 0x80 | (rest & 0x7f), rest >>> 7]);
}

/** gRPC's five bytes before each message. */
export function grpcMessage(message: Uint8Array): Buffer {
  const bytes = Buffer.allocUnsafe(5 + message.length);
  bytes[0] = 0;
  bytes.writeUInt32BE(message.length, 1);
  bytes.set(message, 5);
  return bytes;
}
