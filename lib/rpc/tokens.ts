/**
 * Opaque tokens: consistency, resume and page tokens. Base64url of
 *
 *     version (1 byte) kind (1) log id (16) shard (4) epoch (4) position (8) hash (8) … what the kind adds … check (4)
 *
 * all big-endian. The check shows damage, it is no signature: whatever a forged token says is verified against the log
 * or only narrows what its bearer may read anyway. No input makes decoding throw anything but the kind's own CallError.
 */
import { Buffer } from 'node:buffer';
import { createHash } from 'node:crypto';
import { clone, type DescField, type DescMessage, type MessageShape, toBinary } from '@bufbuild/protobuf';
import { reflect } from '@bufbuild/protobuf/reflect';
import { ErrorReason } from '../../gen/quittance/common/v1/error_reason_pb.js';
import { type CallError, fail } from './errors.js';

/** A point of a named log, as tokens carry it. */
export interface TokenPoint {
  /** The 16 bytes that name the log. */
  readonly logId: Uint8Array;
  readonly shard: number;
  readonly epoch: number;
  /** -1n before the first event. */
  readonly position: bigint;
  /** The first 8 bytes of the hash of the event at `position`; when encoding, a longer hash is cut, an empty one is zeros. */
  readonly hash: Uint8Array;
}

/** Which watch a resume token belongs to. */
export type WatchKind = 'events' | 'transactions';

/** `sent` of a resume token after everything that its event gave rise to. */
export const ALL_SENT = 0xffff_ffff;

/** Where a watch goes on. */
export interface ResumeToken extends TokenPoint {
  readonly watch: WatchKind;
  /** How many messages that the event at `position` gave rise to were sent; ALL_SENT: every one. */
  readonly sent: number;
  /** `queryFingerprint` of the request. */
  readonly fingerprint: Uint8Array;
}

/** One part of a cursor: text, or an int64. */
export type CursorPart = string | bigint;

/** Names the types of a cursor's parts, as in `['bigint', 'string']`. */
export type CursorShape = readonly ('string' | 'bigint')[];

/** The cursor that a shape describes. */
export type CursorOf<S extends CursorShape> = {
  readonly [K in keyof S]: S[K] extends 'bigint' ? bigint : string;
};

/** Where a list goes on, and the position that all its pages are as of. */
export interface PageToken<C extends readonly CursorPart[] = readonly CursorPart[]> extends TokenPoint {
  /** The recorded_time at `position`, UTC microseconds: the later pages' as_of.time. */
  readonly recordedTime: bigint;
  /** `queryFingerprint` of the request. */
  readonly fingerprint: Uint8Array;
  /** The key of the last row sent, in the order of the list. */
  readonly cursor: C;
}

const VERSION = 1;
const KIND = { consistency: 1, resume: 2, page: 3 } as const;
const WATCHES: readonly WatchKind[] = ['events', 'transactions'];
const POINT_BYTES = 42;
const CHECK_BYTES = 4;
/** 9999-12-31T23:59:59.999999Z in microseconds. */
const LAST_TIME = 253_402_300_799_999_999n;
const HASH_BYTES = 8;
const FINGERPRINT_BYTES = 8;
/** The contracts allow 4,096 characters for every token. */
const LONGEST_TOKEN = 4096;
/** From here on the native encoder is as fast as a loop. */
const LONGEST_BY_HAND = 96;
const TWO_32 = 0x1_0000_0000;

/** A token for `at_least_as_fresh`. */
export function encodeConsistencyToken(point: TokenPoint): string {
  writePoint(consistencyBytes, KIND.consistency, point);
  return seal(consistencyBytes);
}

/** Written over by each consistency token: every answer carries one. */
const consistencyBytes = Buffer.alloc(POINT_BYTES + CHECK_BYTES);

/** @throws CallError INVALID_CONSISTENCY_TOKEN for anything that `encodeConsistencyToken` did not make. */
export function decodeConsistencyToken(token: string): TokenPoint {
  const bytes = open(token, KIND.consistency);
  if (bytes?.length !== POINT_BYTES) {
    throw invalid(ErrorReason.INVALID_CONSISTENCY_TOKEN, 'consistency.at_least_as_fresh');
  }
  return readPoint(bytes);
}

/** A token that each message of a watch carries. */
export function encodeResumeToken(token: ResumeToken): string {
  const bytes = Buffer.alloc(POINT_BYTES + 1 + 4 + FINGERPRINT_BYTES + CHECK_BYTES);
  writePoint(bytes, KIND.resume, token);
  let at = bytes.writeUInt8(WATCHES.indexOf(token.watch), POINT_BYTES);
  at = bytes.writeUInt32BE(token.sent, at);
  bytes.set(token.fingerprint.subarray(0, FINGERPRINT_BYTES), at);
  return seal(bytes);
}

/** @throws CallError INVALID_RESUME_TOKEN for a damaged token, or one of another watch, ledger or filter. */
export function decodeResumeToken(token: string, watch: WatchKind, fingerprint: Uint8Array): ResumeToken {
  const bytes = open(token, KIND.resume);
  if (bytes?.length !== POINT_BYTES + 1 + 4 + FINGERPRINT_BYTES) {
    throw invalid(ErrorReason.INVALID_RESUME_TOKEN, 'resume_token');
  }
  const kind = WATCHES[bytes.readUInt8(POINT_BYTES)];
  const sent = bytes.readUInt32BE(POINT_BYTES + 1);
  const own = bytes.subarray(POINT_BYTES + 5);
  if (kind !== watch || !own.equals(fingerprint)) {
    throw invalid(ErrorReason.INVALID_RESUME_TOKEN, 'resume_token', 'it belongs to another watch');
  }
  return { ...readPoint(bytes), watch, sent, fingerprint: own };
}

/** A `next_page_token`. @throws RangeError if a part is beyond int64 or the token beyond what the contracts allow. */
export function encodePageToken(token: PageToken): string {
  const head = Buffer.alloc(POINT_BYTES + 8 + FINGERPRINT_BYTES + 1);
  writePoint(head, KIND.page, token);
  const at = head.writeBigInt64BE(token.recordedTime, POINT_BYTES);
  head.set(token.fingerprint.subarray(0, FINGERPRINT_BYTES), at);
  head.writeUInt8(token.cursor.length, at + FINGERPRINT_BYTES);
  const sealed = seal(Buffer.concat([head, ...token.cursor.map(partBytes), Buffer.alloc(CHECK_BYTES)]));
  if (sealed.length > LONGEST_TOKEN) throw new RangeError('a cursor too long for a page token');
  return sealed;
}

/**
 * The page token of a request whose fingerprint is given, its cursor being of the shape that the list uses.
 * @throws CallError INVALID_PAGE_TOKEN for a damaged token, or one of another query.
 */
export function decodePageToken<const S extends CursorShape>(
  token: string,
  fingerprint: Uint8Array,
  shape: S,
): PageToken<CursorOf<S>> {
  const bytes = open(token, KIND.page);
  const rest = POINT_BYTES + 8 + FINGERPRINT_BYTES + 1;
  if (bytes === undefined || bytes.length < rest) throw invalid(ErrorReason.INVALID_PAGE_TOKEN, 'page_token');
  const own = bytes.subarray(POINT_BYTES + 8, rest - 1);
  if (!own.equals(fingerprint)) {
    throw invalid(ErrorReason.INVALID_PAGE_TOKEN, 'page_token', 'it belongs to another query');
  }
  const cursor = readCursor(bytes, rest, bytes.readUInt8(rest - 1));
  if (
    cursor?.length !== shape.length ||
    cursor.some((part, index) => typeof part !== (shape[index] ?? 'string'))
  ) {
    throw invalid(ErrorReason.INVALID_PAGE_TOKEN, 'page_token');
  }
  const recordedTime = bytes.readBigInt64BE(POINT_BYTES);
  // The pages' as_of.time: a forged one must not be more than a timestamp can say.
  if (recordedTime < 0n || recordedTime > LAST_TIME) {
    throw invalid(ErrorReason.INVALID_PAGE_TOKEN, 'page_token');
  }
  // The parts were compared with the shape just now, which the compiler cannot follow.
  return { ...readPoint(bytes), recordedTime, fingerprint: own, cursor: cursor as unknown as CursorOf<S> };
}

/** What may differ between the pages of a list or the calls of a watch without making it another query. */
const NOT_OF_THE_QUERY = new Set(['page_token', 'page_size', 'consistency', 'resume_token']);

/**
 * 8 bytes that name a query: the hash of its request without page token, page size and consistency, and of a watch
 * without where it starts. The type's name is in it, so that a token never passes from one method to another.
 */
export function queryFingerprint<D extends DescMessage>(schema: D, request: MessageShape<D>): Uint8Array {
  const query = clone(schema, request);
  const fields = reflect(schema, query);
  for (const field of schema.fields) if (!isOfTheQuery(field)) fields.clear(field);
  const body = toBinary(schema, query, { writeUnknownFields: false });
  const digest = createHash('sha256').update(schema.typeName).update('\0').update(body).digest();
  return digest.subarray(0, FINGERPRINT_BYTES);
}

function isOfTheQuery(field: DescField): boolean {
  return !NOT_OF_THE_QUERY.has(field.name) && field.oneof?.name !== 'start';
}

function invalid(reason: ErrorReason, field: string, why = 'it is damaged'): CallError {
  const description = `not a token of this server: ${why}`;
  return fail(reason, `${field}: ${description}`, { fields: [{ field, description }] });
}

function writePoint(bytes: Buffer, kind: number, { logId, shard, epoch, position, hash }: TokenPoint): void {
  if (logId.length !== 16) throw new RangeError('the id of a log has 16 bytes');
  bytes[0] = VERSION;
  bytes[1] = kind;
  for (let index = 0; index < 16; index += 1) bytes[2 + index] = logId[index] ?? 0;
  bytes.writeUInt32BE(shard, 18);
  bytes.writeUInt32BE(epoch, 22);
  const number = Number(position);
  if (Number.isSafeInteger(number)) {
    bytes.writeUInt32BE(Math.floor(number / TWO_32) >>> 0, 26);
    bytes.writeUInt32BE(number >>> 0, 30);
  } else {
    bytes.writeBigInt64BE(position, 26);
  }
  for (let index = 0; index < HASH_BYTES; index += 1) bytes[34 + index] = hash[index] ?? 0;
}

function readPoint(bytes: Buffer): TokenPoint {
  return {
    logId: bytes.subarray(2, 18),
    shard: bytes.readUInt32BE(18),
    epoch: bytes.readUInt32BE(22),
    position: bytes.readBigInt64BE(26),
    hash: bytes.subarray(34, POINT_BYTES),
  };
}

/** Writes the check into the last bytes. */
function seal(bytes: Buffer): string {
  const end = bytes.length - CHECK_BYTES;
  bytes.writeUInt32BE(checkOf(bytes, end), end);
  return base64urlOf(bytes);
}

const ALPHABET = Buffer.from('ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_', 'latin1');
const characters = Buffer.alloc(LONGEST_BY_HAND * 2);

/** What `toString('base64url')` gives, at a third of its price for the few bytes of a consistency token. */
function base64urlOf(bytes: Buffer): string {
  const { length } = bytes;
  if (length > LONGEST_BY_HAND) return bytes.toString('base64url');
  let to = 0;
  for (let from = 0; from < length; from += 3) {
    const three = ((bytes[from] ?? 0) << 16) | ((bytes[from + 1] ?? 0) << 8) | (bytes[from + 2] ?? 0);
    characters[to] = ALPHABET[three >> 18] ?? 0;
    characters[to + 1] = ALPHABET[(three >> 12) & 63] ?? 0;
    characters[to + 2] = ALPHABET[(three >> 6) & 63] ?? 0;
    characters[to + 3] = ALPHABET[three & 63] ?? 0;
    to += 4;
  }
  // There is no padding: what the last group has too many of is cut off.
  return characters.toString('latin1', 0, Math.ceil((length * 4) / 3));
}

/** The bytes without the check; undefined unless they are a whole token of this version and kind. */
function open(token: string, kind: number): Buffer | undefined {
  if (token.length > LONGEST_TOKEN) return undefined;
  const bytes = Buffer.from(token, 'base64url');
  const end = bytes.length - CHECK_BYTES;
  if (end < POINT_BYTES || bytes[0] !== VERSION || bytes[1] !== kind) return undefined;
  // Node passes over what is not base64url; a token has one spelling only.
  if (bytes.toString('base64url') !== token) return undefined;
  const content = bytes.subarray(0, end);
  if (bytes.readUInt32BE(end) !== checkOf(bytes, end)) return undefined;
  // Before the first event there is -1 and nothing less.
  return bytes.readBigInt64BE(26) < -1n ? undefined : content;
}

/** FNV-1a, 32 bits, of the bytes before `end`: to see damage, at a fraction of a hash's cost, since every answer carries a token. */
function checkOf(bytes: Uint8Array, end: number): number {
  let check = 0x811c9dc5;
  // By index: an iterator over a Buffer costs more than all the rest of a token.
  for (let at = 0; at < end; at += 1) check = Math.imul(check ^ (bytes[at] ?? 0), 0x01000193);
  return check >>> 0;
}

const TEXT = 0;
const INTEGER = 1;

function partBytes(part: CursorPart): Buffer {
  if (typeof part === 'bigint') {
    const bytes = Buffer.alloc(9);
    bytes.writeUInt8(INTEGER, 0);
    bytes.writeBigInt64BE(part, 1);
    return bytes;
  }
  const text = Buffer.from(part, 'utf8');
  const head = Buffer.alloc(3);
  head.writeUInt8(TEXT, 0);
  head.writeUInt16BE(text.length, 1);
  return Buffer.concat([head, text]);
}

/** Undefined unless the bytes from `start` to the end are exactly `count` parts. */
function readCursor(bytes: Buffer, start: number, count: number): CursorPart[] | undefined {
  const parts: CursorPart[] = [];
  let at = start;
  for (let index = 0; index < count; index++) {
    const size = sizeOfPart(bytes, at);
    if (size === undefined || at + size > bytes.length) return undefined;
    if (bytes[at] === INTEGER) {
      parts.push(bytes.readBigInt64BE(at + 1));
    } else {
      const text = bytes.toString('utf8', at + 3, at + size);
      // No row's key holds it, and PostgreSQL takes no text that does.
      if (text.includes('\0')) return undefined;
      parts.push(text);
    }
    at += size;
  }
  return at === bytes.length ? parts : undefined;
}

function sizeOfPart(bytes: Buffer, at: number): number | undefined {
  if (bytes[at] === INTEGER) return 9;
  return bytes[at] === TEXT && at + 3 <= bytes.length ? 3 + bytes.readUInt16BE(at + 1) : undefined;
}
