import { create } from '@bufbuild/protobuf';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { ErrorReason } from '../../gen/quittance/common/v1/error_reason_pb.js';
import { ListAccountsRequestSchema } from '../../gen/quittance/query/v1/account_query_service_pb.js';
import {
  ListEventsRequestSchema,
  WatchEventsRequestSchema,
} from '../../gen/quittance/query/v1/event_query_service_pb.js';
import { CallError } from './errors.js';
import {
  decodeConsistencyToken,
  decodePageToken,
  decodeResumeToken,
  encodeConsistencyToken,
  encodePageToken,
  encodeResumeToken,
  queryFingerprint,
  type TokenPoint,
} from './tokens.js';

const POINT: TokenPoint = {
  logId: new Uint8Array(16).fill(7),
  shard: 3,
  epoch: 2,
  position: 9_007_199_254_740_993n,
  hash: new Uint8Array(32).map((_, index) => index),
};
const FINGERPRINT = new Uint8Array(8).fill(1);

const plain = (bytes: Uint8Array) => [...bytes];
const reasonOf = (work: () => unknown): ErrorReason | undefined => {
  try {
    work();
    return undefined;
  } catch (error) {
    if (error instanceof CallError) return error.reason;
    throw error;
  }
};

describe('a consistency token', () => {
  test('says what was put into it, with the first 8 bytes of the hash', () => {
    const token = encodeConsistencyToken(POINT);
    const point = decodeConsistencyToken(token);
    expect(token).toMatch(/^[A-Za-z0-9_-]{62}$/);
    expect({ ...point, logId: plain(point.logId), hash: plain(point.hash) }).toEqual({
      shard: 3,
      epoch: 2,
      position: 9_007_199_254_740_993n,
      logId: plain(POINT.logId),
      hash: [0, 1, 2, 3, 4, 5, 6, 7],
    });
  });

  test('can stand before the first event', () => {
    const token = encodeConsistencyToken({ ...POINT, position: -1n, hash: new Uint8Array(0) });
    expect(decodeConsistencyToken(token).position).toBe(-1n);
  });

  test('is refused when any one character of it was changed', () => {
    const token = encodeConsistencyToken(POINT);
    for (let at = 0; at < token.length; at++) {
      const damaged = token.slice(0, at) + (token[at] === 'A' ? 'B' : 'A') + token.slice(at + 1);
      expect(reasonOf(() => decodeConsistencyToken(damaged))).toBe(ErrorReason.INVALID_CONSISTENCY_TOKEN);
    }
  });

  test('is not a resume token, nor a page token', () => {
    const token = encodeConsistencyToken(POINT);
    expect(reasonOf(() => decodeResumeToken(token, 'events', FINGERPRINT))).toBe(
      ErrorReason.INVALID_RESUME_TOKEN,
    );
    expect(reasonOf(() => decodePageToken(token, FINGERPRINT, []))).toBe(ErrorReason.INVALID_PAGE_TOKEN);
  });
});

describe('a resume token', () => {
  const token = encodeResumeToken({ ...POINT, watch: 'events', sent: 5, fingerprint: FINGERPRINT });

  test('says where to go on', () => {
    const { position, sent } = decodeResumeToken(token, 'events', FINGERPRINT);
    expect({ position, sent }).toEqual({ position: POINT.position, sent: 5 });
  });

  test('is refused by another watch, and by the same watch of something else', () => {
    expect(reasonOf(() => decodeResumeToken(token, 'transactions', FINGERPRINT))).toBe(
      ErrorReason.INVALID_RESUME_TOKEN,
    );
    expect(reasonOf(() => decodeResumeToken(token, 'events', new Uint8Array(8)))).toBe(
      ErrorReason.INVALID_RESUME_TOKEN,
    );
  });
});

describe('a page token', () => {
  const encode = (cursor: (string | bigint)[]) =>
    encodePageToken({ ...POINT, recordedTime: 1_767_225_600_000_001n, fingerprint: FINGERPRINT, cursor });

  test('carries a typed cursor and what the first page was as of', () => {
    const page = decodePageToken(encode(['EUR', 'käthe:1', -5n]), FINGERPRINT, [
      'string',
      'string',
      'bigint',
    ]);
    const [currency, key, position]: readonly [string, string, bigint] = page.cursor;
    expect([currency, key, position]).toEqual(['EUR', 'käthe:1', -5n]);
    expect(page.recordedTime).toBe(1_767_225_600_000_001n);
    expect(page.position).toBe(POINT.position);
  });

  test('is refused by another query, and with a cursor of another shape', () => {
    const token = encode([1n]);
    const refused = ErrorReason.INVALID_PAGE_TOKEN;
    expect(reasonOf(() => decodePageToken(token, new Uint8Array(8), ['bigint']))).toBe(refused);
    expect(reasonOf(() => decodePageToken(token, FINGERPRINT, ['string']))).toBe(refused);
    expect(reasonOf(() => decodePageToken(token, FINGERPRINT, ['bigint', 'bigint']))).toBe(refused);
  });

  test('keeps any cursor', () => {
    const part = fc.oneof(
      fc.string({ unit: 'grapheme', maxLength: 100 }),
      fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
    );
    fc.assert(
      fc.property(fc.array(part, { maxLength: 4 }), (cursor) => {
        const shape = cursor.map((each) => (typeof each === 'bigint' ? ('bigint' as const) : 'string'));
        expect(decodePageToken(encode(cursor), FINGERPRINT, shape).cursor).toEqual(cursor);
      }),
    );
  });
});

test('no input makes decoding throw anything but the error of its kind', () => {
  const sealed = [
    encodeConsistencyToken(POINT),
    encodeResumeToken({ ...POINT, watch: 'transactions', sent: 0, fingerprint: FINGERPRINT }),
    encodePageToken({ ...POINT, recordedTime: 0n, fingerprint: FINGERPRINT, cursor: ['a', 1n] }),
  ];
  const damaged = fc
    .tuple(fc.constantFrom(...sealed), fc.nat(200), fc.uint8Array({ maxLength: 30 }))
    .map(([token, at, bytes]) => {
      const whole = Buffer.from(token, 'base64url');
      const content = Buffer.concat([whole.subarray(0, at), bytes, whole.subarray(at + bytes.length)]);
      // With its check made right again the damage gets past it.
      let check = 0x811c9dc5;
      for (const byte of content.subarray(0, -4)) check = Math.imul(check ^ byte, 0x01000193);
      if (content.length >= 4) content.writeUInt32BE(check >>> 0, content.length - 4);
      return content.toString('base64url');
    });
  const token = fc.oneof(
    damaged,
    fc.string({ maxLength: 100 }),
    fc.string({ unit: 'binary', maxLength: 5000 }),
    fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes).toString('base64url')),
  );
  fc.assert(
    fc.property(token, (input) => {
      for (const [work, reason] of [
        [() => decodeConsistencyToken(input), ErrorReason.INVALID_CONSISTENCY_TOKEN],
        [() => decodeResumeToken(input, 'events', FINGERPRINT), ErrorReason.INVALID_RESUME_TOKEN],
        [() => decodePageToken(input, FINGERPRINT, ['string', 'bigint']), ErrorReason.INVALID_PAGE_TOKEN],
      ] as const) {
        expect([undefined, reason]).toContain(reasonOf(work));
      }
    }),
    { numRuns: 3000 },
  );
});

describe('the fingerprint of a query', () => {
  test('does not depend on page token, page size and consistency', () => {
    const query = { ledgerId: 'main', accountIdPrefix: 'a' };
    const one = queryFingerprint(ListAccountsRequestSchema, create(ListAccountsRequestSchema, query));
    const request = create(ListAccountsRequestSchema, {
      ...query,
      pageSize: 10,
      pageToken: 'x',
      consistency: { requirement: { case: 'fullyConsistent', value: true } },
    });
    expect(queryFingerprint(ListAccountsRequestSchema, request)).toEqual(one);
    expect(request.pageToken).toBe('x');
  });

  test('depends on every filter, and on the method', () => {
    const of = (startPosition: bigint) =>
      queryFingerprint(
        ListEventsRequestSchema,
        create(ListEventsRequestSchema, { ledgerId: 'main', startPosition }),
      );
    expect(of(1n)).not.toEqual(of(2n));
    const ledgerId = 'main';
    const other = queryFingerprint(
      ListAccountsRequestSchema,
      create(ListAccountsRequestSchema, { ledgerId }),
    );
    expect(of(0n)).not.toEqual(other);
  });

  test('of a watch does not depend on where it starts', () => {
    const of = (start: { case: 'startPosition'; value: bigint } | { case: 'resumeToken'; value: string }) =>
      queryFingerprint(
        WatchEventsRequestSchema,
        create(WatchEventsRequestSchema, { ledgerId: 'main', start }),
      );
    expect(of({ case: 'startPosition', value: 5n })).toEqual(of({ case: 'resumeToken', value: 'x' }));
  });
});

test('a consistency token is spelled as base64url has it', () => {
  const point = fc.record({
    logId: fc.uint8Array({ minLength: 16, maxLength: 16 }),
    shard: fc.nat(),
    epoch: fc.nat(),
    position: fc.oneof(
      fc.constantFrom(-1n, 0n, 2n ** 32n, 2n ** 53n + 1n),
      fc.bigInt({ min: -1n, max: 2n ** 63n - 1n }),
    ),
    hash: fc.uint8Array({ minLength: 8, maxLength: 32 }),
  });
  const property = fc.property(point, (given) => {
    const token = encodeConsistencyToken(given);
    const bytes = Buffer.from(token, 'base64url');
    expect(token).toBe(bytes.toString('base64url'));
    expect(bytes.readBigInt64BE(26)).toBe(given.position);
    expect(decodeConsistencyToken(token)).toMatchObject({ shard: given.shard, epoch: given.epoch });
  });
  fc.assert(property);
});
