/** The Huffman code of header texts (RFC 7541, 5.2 and appendix B). */
import { Http2Error, ErrorCode } from './errors.js';

/** How many bits each byte and, last, the end of a text has. The code is canonical: its lengths say all. */
const CODE_LENGTHS: readonly number[] = [
  13, 23, 28, 28, 28, 28, 28, 28, 28, 24, 30, 28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28, 30, 28, 28, 28, 28,
  28, 28, 28, 28, 28, 6, 10, 10, 12, 13, 6, 8, 11, 10, 10, 8, 11, 8, 6, 6, 6, 5, 5, 5, 6, 6, 6, 6, 6, 6, 6, 7,
  8, 15, 6, 12, 10, 13, 6, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 8, 7, 8, 13, 19,
  13, 14, 6, 15, 5, 6, 5, 6, 5, 6, 6, 6, 5, 7, 7, 6, 6, 6, 5, 6, 7, 6, 5, 5, 6, 7, 7, 7, 7, 7, 15, 11, 14, 13,
  28, 20, 22, 20, 20, 22, 22, 22, 23, 22, 23, 23, 23, 23, 23, 24, 23, 24, 24, 22, 23, 24, 23, 23, 23, 23, 21,
  22, 23, 22, 23, 23, 24, 22, 21, 20, 22, 22, 23, 23, 21, 23, 22, 22, 24, 21, 22, 23, 23, 21, 21, 22, 21, 23,
  22, 23, 23, 20, 22, 22, 22, 23, 22, 22, 23, 26, 26, 20, 19, 22, 23, 22, 25, 26, 26, 26, 27, 27, 26, 24, 25,
  19, 21, 26, 27, 27, 26, 27, 24, 21, 21, 26, 26, 28, 27, 27, 27, 20, 24, 20, 21, 22, 21, 21, 23, 22, 22, 25,
  25, 24, 24, 26, 23, 26, 27, 26, 26, 27, 27, 27, 27, 27, 28, 27, 27, 27, 27, 27, 26, 30,
];
const END_OF_TEXT = 256;
const LONGEST_CODE = 30;
/** What is left of the last byte: fewer bits than a byte has, all set. */
const PADDING_MAX_BITS = 7;

/** Two per node, for a bit that is not set and one that is: the next node, or what it stands for as `-1 - symbol`. */
const TREE = treeOf(CODE_LENGTHS);

/** @throws Http2Error for what is no text in this code. */
export function decodeHuffman(bytes: Uint8Array, start: number, end: number): string {
  let text = '';
  let node = 0;
  let depth = 0;
  let areOnes = true;
  for (let at = start; at < end; at += 1) {
    const byte = bytes[at] ?? 0;
    for (let place = 7; place >= 0; place -= 1) {
      const bit = (byte >> place) & 1;
      const next = TREE[2 * node + bit] ?? 0;
      if (next > 0) {
        node = next;
        depth += 1;
        areOnes &&= bit === 1;
        continue;
      }
      const symbol = -1 - next;
      if (symbol === END_OF_TEXT) throw invalid('has the end of a text within');
      text += String.fromCharCode(symbol);
      node = 0;
      depth = 0;
      areOnes = true;
    }
  }
  if (depth > PADDING_MAX_BITS || !areOnes) throw invalid('ends in something other than padding');
  return text;
}

function invalid(what: string): Http2Error {
  return new Http2Error(ErrorCode.compressionError, `a header text ${what}`);
}

function treeOf(lengths: readonly number[]): Int16Array {
  const tree = new Int16Array(2 * lengths.length);
  let nodes = 1;
  let code = 0;
  for (let length = 1; length <= LONGEST_CODE; length += 1) {
    for (const [symbol, bits] of lengths.entries()) {
      if (bits !== length) continue;
      let node = 0;
      for (let place = length - 1; place > 0; place -= 1) {
        const at = 2 * node + ((code >> place) & 1);
        if (tree[at] === 0) tree[at] = nodes++;
        node = tree[at] ?? 0;
      }
      tree[2 * node + (code & 1)] = -1 - symbol;
      code += 1;
    }
    code <<= 1;
  }
  return tree;
}
