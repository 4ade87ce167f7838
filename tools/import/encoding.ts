/** Bytes and characters: which encoding a file has, and whether all its bytes belong to it. */
import { isUtf8 } from 'node:buffer';
import iconv from 'iconv-lite';
import type { Problems } from './problems.js';
import type { Source } from './source.js';

const NEWLINE = 10;
const REPLACEMENT = '\ufffd';
const NUL_PROBLEM = 'holds a NUL character, which no text of the ledger may have';

/** Whether a name stands for an encoding that can be read. */
export function isEncoding(name: string): boolean {
  return iconv.encodingExists(name);
}

/** The encoding that a byte order mark or an XML declaration names; undefined where the head of the file names none. */
export function namedEncoding(head: Buffer): string | undefined {
  if (head[0] === 0xff && head[1] === 0xfe) return 'utf-16le';
  if (head[0] === 0xfe && head[1] === 0xff) return 'utf-16be';
  const declared = /^\s*<\?xml[^>]*?encoding\s*=\s*["']([A-Za-z0-9._-]+)["']/.exec(
    decodedHead(head, 'utf-8'),
  );
  return declared?.[1];
}

/** The beginning of the file as text, without a byte order mark. */
export function decodedHead(head: Buffer, encoding: string): string {
  return iconv.decode(head, encoding);
}

/** The whole file as pieces of text. Check its bytes first: what does not belong to the encoding becomes U+FFFD. */
export async function* textOf(source: Source, encoding: string): AsyncGenerator<string> {
  const decoder = iconv.getDecoder(encoding);
  for await (const chunk of source.read() as AsyncIterable<Buffer>) {
    const text = decoder.write(chunk);
    if (text !== '') yield text;
  }
  const rest = decoder.end() ?? '';
  if (rest !== '') yield rest;
}

/** Finds the lines that hold bytes which do not belong to the encoding, or a NUL, which the ledger does not keep. */
export async function checkEncoding(source: Source, encoding: string, problems: Problems): Promise<void> {
  if (isUtf8Name(encoding)) await checkUtf8(source, problems);
  else await checkDecoded(source, encoding, problems);
}

export function isUtf8Name(encoding: string): boolean {
  return /^utf-?8$/i.test(encoding);
}

async function checkUtf8(source: Source, problems: Problems): Promise<void> {
  const checker = new LineChecker(problems);
  let cut: Buffer = Buffer.alloc(0);
  for await (const chunk of source.read() as AsyncIterable<Buffer>) {
    const bytes = cut.length === 0 ? chunk : Buffer.concat([cut, chunk]);
    const whole = bytes.length - unfinishedBytes(bytes);
    checker.check(bytes.subarray(0, whole));
    cut = bytes.subarray(whole);
  }
  checker.check(cut);
}

/** Walks over chunks that end between characters, and notes each faulty line once. */
class LineChecker {
  #line = 1;
  #noted = 0;

  constructor(readonly problems: Problems) {}

  check(bytes: Buffer): void {
    const sound = isUtf8(bytes) && !bytes.includes(0);
    for (let from = 0; from < bytes.length; this.#line += 1) {
      const end = bytes.indexOf(NEWLINE, from);
      if (!sound) this.#checkLine(bytes.subarray(from, end < 0 ? bytes.length : end));
      if (end < 0) return;
      from = end + 1;
    }
  }

  #checkLine(bytes: Buffer): void {
    if (this.#noted === this.#line) return;
    const text = isUtf8(bytes) ? undefined : faultOf(bytes);
    if (text === undefined && !bytes.includes(0)) return;
    this.problems.add(this.#line, text ?? NUL_PROBLEM);
    this.#noted = this.#line;
  }
}

function faultOf(bytes: Buffer): string {
  const text = bytes.toString('utf8');
  const before = text.slice(0, text.indexOf(REPLACEMENT));
  const byte = bytes[Buffer.byteLength(before)] ?? 0;
  return (
    `the byte 0x${byte.toString(16).padStart(2, '0')} after ${JSON.stringify(before.slice(-20))} is not UTF-8;` +
    ' name the encoding of the file, for example --encoding windows-1250'
  );
}

/** How many bytes at the end begin a character that goes on in the next chunk. */
function unfinishedBytes(bytes: Buffer): number {
  for (let back = 1; back <= Math.min(3, bytes.length); back += 1) {
    const byte = bytes[bytes.length - back] ?? 0;
    if (byte < 0x80) return 0;
    if (byte < 0xc0) continue;
    const length = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : 2;
    return length > back ? back : 0;
  }
  return 0;
}

async function checkDecoded(source: Source, encoding: string, problems: Problems): Promise<void> {
  let line = 1;
  let noted = 0;
  for await (const chunk of textOf(source, encoding)) {
    const sound = chunk.isWellFormed() && !chunk.includes(REPLACEMENT) && !chunk.includes('\0');
    const parts = chunk.split('\n');
    for (const [index, part] of parts.entries()) {
      if (index > 0) line += 1;
      if (sound || noted === line) continue;
      if (part.includes('\0')) problems.add(line, NUL_PROBLEM);
      else if (!part.isWellFormed() || part.includes(REPLACEMENT))
        problems.add(line, `holds bytes that are not ${encoding}; is that the encoding of the file?`);
      else continue;
      noted = line;
    }
  }
}
