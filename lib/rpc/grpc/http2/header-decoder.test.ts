/** Header blocks: the examples of RFC 7541, what no block may say, and what node:http2 sends. */
import { once } from 'node:events';
import http2 from 'node:http2';
import { afterEach, describe, expect, test } from '@jest/globals';
import { ErrorCode, Http2Error } from './errors.js';
import { HeaderDecoder } from './header-decoder.js';
import { HeaderReader } from './header-reader.js';
import { type RequestHeaders } from './request-headers.js';
import { block, openServer, type RawServer, requestBlock } from './test/raw-client.js';

let server: RawServer | undefined;
afterEach(async () => {
  await server?.close();
  server = undefined;
});

type Field = readonly [name: string, value: string];

function decode(decoder: HeaderDecoder, hex: string): Field[] {
  const fields: Field[] = [];
  decoder.decode(Buffer.from(hex.replaceAll(' ', ''), 'hex'), (name, value) => fields.push([name, value]));
  return fields;
}

const DATE = 'Mon, 21 Oct 2013 20:13:21 GMT';

test('requests with Huffman codes (RFC 7541, C.4)', () => {
  const decoder = new HeaderDecoder();
  const first: Field[] = [
    [':method', 'GET'],
    [':scheme', 'http'],
    [':path', '/'],
    [':authority', 'www.example.com'],
  ];
  expect(decode(decoder, '8286 8441 8cf1 e3c2 e5f2 3a6b a0ab 90f4 ff')).toEqual(first);
  expect(decode(decoder, '8286 84be 5886 a8eb 1064 9cbf')).toEqual([...first, ['cache-control', 'no-cache']]);
  expect(decode(decoder, '8287 85bf 4088 25a8 49e9 5ba9 7d7f 8925 a849 e95b b8e8 b4bf')).toEqual([
    [':method', 'GET'],
    [':scheme', 'https'],
    [':path', '/index.html'],
    [':authority', 'www.example.com'],
    ['custom-key', 'custom-value'],
  ]);
});

test('a table of 256 bytes forgets what is oldest (RFC 7541, C.6)', () => {
  const decoder = new HeaderDecoder();
  const rest: Field[] = [
    ['cache-control', 'private'],
    ['date', DATE],
    ['location', 'https://www.example.com'],
  ];
  const first =
    '3fe101 4882 6402 5885 aec3 771a 4b61 96d0 7abe 9410 54d4 44a8 2005 9504 0b81 66e0 82a6 2d1b ff6e 919d 29ad 1718 63c7 8f0b 97c8 e9ae 82ae 43d3';
  expect(decode(decoder, first)).toEqual([[':status', '302'], ...rest]);
  expect(decode(decoder, '4883 640e ffc1 c0bf')).toEqual([[':status', '307'], ...rest]);
  const third =
    '88c1 6196 d07a be94 1054 d444 a820 0595 040b 8166 e084 a62d 1bff c05a 839b d9ab 77ad 94e7 821d d7f2 e6c7 b335 dfdf cd5b 3960 d5af 2708 7f36 72c1 ab27 0fb5 291f 9587 3160 65c0 03ed 4ee5 b106 3d50 07';
  expect(decode(decoder, third)).toEqual([
    [':status', '200'],
    ['cache-control', 'private'],
    ['date', 'Mon, 21 Oct 2013 20:13:22 GMT'],
    ['location', 'https://www.example.com'],
    ['content-encoding', 'gzip'],
    ['set-cookie', 'foo=ASDJKHQKBZXOQWEOPIUAXQWEOIU; max-age=3600; version=1'],
  ]);
});

describe('a block is refused', () => {
  test.each([
    ['an index of nothing', '80'],
    ['an index beyond the table', 'be'],
    ['a name beyond the table', '7e 01 61'],
    ['an integer without end', 'ff ff ff ff ff ff ff ff'],
    ['an integer that breaks off', 'ff'],
    ['an integer that is too large', 'ff ff ff ff ff 7f'],
    ['a text that breaks off', '00 03 61'],
    ['a text of two gigabytes', '00 7f ff ff ff ff 07 61'],
    ['a value that is missing', '00 01 61'],
    ['a table larger than was allowed', '3f e2 1f'],
    ['a change of the table after a field', '82 20'],
    ['the end of a text within it', '00 85 ff ff ff ff ff 01 61'],
    ['padding of a byte', '00 82 1f ff 01 61'],
    ['padding that is not all ones', '00 81 18 01 61'],
  ])('for %s', (_name, hex) => {
    const failure = (() => {
      try {
        return decode(new HeaderDecoder(), hex);
      } catch (error) {
        return error;
      }
    })();
    expect(failure).toBeInstanceOf(Http2Error);
    expect(failure).toMatchObject({ code: ErrorCode.compressionError });
  });
});

test('an entry larger than the table empties it', () => {
  const decoder = new HeaderDecoder();
  decode(decoder, '40 01 61 01 62');
  expect(decode(decoder, 'be')).toEqual([['a', 'b']]);
  const value = '7a'.repeat(4_096);
  expect(decode(decoder, `40 01 61 7f 81 1f ${value}`)).toEqual([['a', 'z'.repeat(4_096)]]);
  expect(() => decode(decoder, 'be')).toThrow('the number of no entry');
});

test('the same bytes mean something else after the table has changed', () => {
  const reader = new HeaderReader();
  const keep = (value: string) =>
    reader.request(
      Buffer.concat([requestBlock(), Buffer.from([0x40, 0x01, 0x61, 0x01]), Buffer.from(value)]),
    );
  const named = Buffer.concat([requestBlock(), Buffer.from([0xbe])]);
  keep('x');
  const first = reader.request(named);
  expect(first.headers['a']).toBe('x');
  expect(reader.request(named)).toBe(first);
  reader.trailers(Buffer.concat([Buffer.from([0x40, 0x01, 0x61, 0x01]), Buffer.from('y')]));
  expect(reader.request(named).headers['a']).toBe('y');
  // A table of no bytes, and back.
  reader.trailers(Buffer.from([0x20, 0x3f, 0xe1, 0x1f]));
  expect(() => reader.request(named)).toThrow('the number of no entry');
});

test('fields that come twice are joined, and of some the first counts', () => {
  const { headers } = new HeaderReader().request(
    Buffer.concat([
      requestBlock({ 'x-y': ['1', '2'], cookie: ['a=b', 'c=d'] }),
      block({ authorization: ['first', 'second'], 'content-type': 'text/plain' }),
    ]),
  );
  expect(headers).toMatchObject({
    'x-y': '1, 2',
    cookie: 'a=b; c=d',
    authorization: 'first',
    'content-type': 'application/grpc',
  });
});

test('what node:http2 sends is read as it was', async () => {
  const sent: RequestHeaders[] = [];
  server = await openServer((stream) => {
    stream.respond({ ':status': 200 }, { endStream: true });
  });
  const session = http2.connect(`http://127.0.0.1:${server.port}`);
  for (let round = 0; round < 120; round += 1) {
    const text = String.fromCharCode(
      ...Array.from({ length: round }, (_, at) => 33 + ((at * 7 + round) % 94)),
    );
    const headers = {
      ':method': 'POST',
      ':path': `/a.B/${round % 5}`,
      te: 'trailers',
      'x-round': String(round),
      'x-text': `<${text}>`,
      'x-same': 'x'.repeat(round % 3),
    };
    sent.push(headers);
    const stream = session.request(headers);
    stream.resume();
    stream.end();
    await once(stream, 'close');
  }
  session.close();
  expect(server.headers).toHaveLength(sent.length);
  sent.forEach((headers, index) => {
    expect(server?.headers[index]).toMatchObject(headers);
  });
});
