import { expect, test } from '@jest/globals';
import { Buffer } from 'node:buffer';
import iconv from 'iconv-lite';
import { checkEncoding } from './encoding.js';
import { Problems } from './problems.js';
import { HEADER, problemsOf, rowsOf, withSource } from './test/reading.js';

const ROW = '1,alice,1993-01-31,důchod,,90000,90000,';

async function faults(content: Buffer, encoding: string): Promise<string[]> {
  const problems = new Problems();
  await withSource(content, (source) => checkEncoding(source, encoding, problems));
  return problems.lines();
}

test('a Windows-1250 file is refused with the line of each such byte, and read by --encoding', async () => {
  const text = `${HEADER}\n${ROW}\n2,alice,1993-01-31,x,,1,90001,\n3,alice,1993-01-31,důchod,,1,90002,\n`;
  const bytes = iconv.encode(text, 'windows-1250');
  expect(await problemsOf(bytes)).toEqual([
    expect.stringMatching(/^line 2: the byte 0xf9 after .* is not UTF-8; .*--encoding windows-1250/),
    expect.stringMatching(/^line 4: the byte 0xf9/),
  ]);
  expect((await rowsOf(bytes, { encoding: 'windows-1250' }))[0]?.kind).toBe('důchod');
});

test('a byte that an encoding does not have is refused with its line', async () => {
  const bytes = Buffer.concat([
    Buffer.from(`${HEADER}\n1,alice,1993-01-31,`),
    Buffer.from([0x81]),
    Buffer.from(',,1,1,\n'),
  ]);
  expect(await problemsOf(bytes, { encoding: 'windows-1250' })).toEqual([
    'line 2: holds bytes that are not windows-1250; is that the encoding of the file?',
  ]);
});

test('a NUL is refused with its line, in every encoding', async () => {
  const text = `${HEADER}\n1,alice,1993-01-31,a\0b,,1,1,\n`;
  expect(await problemsOf(text)).toEqual([
    'line 2: holds a NUL character, which no text of the ledger may have',
  ]);
  expect(await problemsOf(iconv.encode(text, 'utf-16le', { addBOM: true }))).toEqual([
    'line 2: holds a NUL character, which no text of the ledger may have',
  ]);
});

test('the other problems of such a file are told as well', async () => {
  const rows = [
    '1,alice,1993-01-31,a\0b,,1,1,',
    `2,alice,1993-01-31,${'x'.repeat(501)},,1,2,`,
    '3,alice,2999-01-31,x,,1,3,',
  ];
  expect(await problemsOf([HEADER, ...rows, ''].join('\n'))).toEqual([
    'line 2: holds a NUL character, which no text of the ledger may have',
    'line 3: kind has 501 characters; at most 500 are kept',
    'line 4: booked_on 2999-01-31 is in the future',
  ]);
});

test('UTF-16 with its byte order mark is read as what it is', async () => {
  const text = `${HEADER}\n${ROW}\n`;
  for (const encoding of ['utf-16le', 'utf-16be'] as const)
    expect((await rowsOf(iconv.encode(text, encoding, { addBOM: true })))[0]?.kind).toBe('důchod');
});

test('half a surrogate pair in UTF-16 is refused', async () => {
  const bytes = Buffer.concat([
    Buffer.from('a\nb', 'utf16le'),
    Buffer.from([0x00, 0xd8]),
    Buffer.from('c\n', 'utf16le'),
  ]);
  expect(await faults(bytes, 'utf-16le')).toEqual([expect.stringMatching(/^line 2: holds bytes/)]);
});

test('characters that lie across the pieces in which a file is read are whole, and lines are counted over them', async () => {
  // A file is read in pieces of 64 KiB; the character takes the last byte of one and the first of the next.
  const line = `${'x'.repeat(65_534)}\n`;
  for (const before of ['', 'x', 'xx', 'xxx'])
    expect(await faults(Buffer.from(`${before}${line}€𝄞\n`), 'utf-8')).toEqual([]);
  const broken = Buffer.concat([Buffer.from(line), Buffer.from([0xe2, 0x82]), Buffer.from('\nfine\n')]);
  expect(await faults(broken, 'utf-8')).toEqual([expect.stringMatching(/^line 2: the byte 0xe2/)]);
});

test('a character that the end of the file cuts off is refused', async () => {
  expect(await faults(Buffer.from([0x61, 0x0a, 0xf0, 0x9d]), 'utf-8')).toEqual([
    expect.stringMatching(/^line 2: the byte 0xf0/),
  ]);
});
