/** A line of the shell as words. */
import { UsageError } from '../../lib/process/command-line.js';

/** A text in single quotes, a text in double quotes, a character after a backslash, or what stands for itself. */
const PIECE = /'([^']*)'|"((?:[^"\\]|\\.)*)"|\\(.)|([^\s'"\\]+)/gsy;

/** Splits at spaces, as shells do: quotes and backslashes keep a word together. @throws UsageError on a quote that is not closed */
export function splitWords(line: string): readonly string[] {
  const words: string[] = [];
  let place = 0;
  while (place < line.length) {
    const space = /^\s+/.exec(line.slice(place));
    place += space?.[0].length ?? 0;
    if (place === line.length) break;
    let word = '';
    do {
      PIECE.lastIndex = place;
      const found = PIECE.exec(line);
      if (found === null) throw new UsageError(`a quote or a backslash at ${String(place + 1)} has no end`);
      const [piece, single, double, escaped, plain] = found;
      word += single ?? double?.replaceAll(/\\(["\\])/g, '$1') ?? escaped ?? plain ?? '';
      place += piece.length;
    } while (place < line.length && !/\s/.test(line.charAt(place)));
    words.push(word);
  }
  return words;
}
