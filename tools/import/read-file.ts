/** Reads a file of any format: what a format's reader makes of it, with an id for every movement. */
import { readCamt053 } from './camt053.js';
import { readCsv } from './csv.js';
import { checkEncoding, decodedHead, isEncoding, namedEncoding } from './encoding.js';
import { withIds } from './ids.js';
import type { FileRecord } from './movement.js';
import { readMt940 } from './mt940.js';
import { BadFileError, type Problems } from './problems.js';
import type { ReadContext } from './read-context.js';
import type { FormatName, ReadSettings } from './settings.js';
import type { Source } from './source.js';

/** A file whose format and encoding are known. */
export interface ReadableFile {
  readonly format: FormatName;
  readonly encoding: string;
  /** Takes the lines whose bytes do not belong to the encoding. Reading goes on there with U+FFFD instead. */
  check(problems: Problems): Promise<void>;
  /** One pass over it. What cannot be read goes into `problems`. @throws BadFileError for what is wrong as a whole. */
  records(problems: Problems): AsyncGenerator<FileRecord>;
}

/** Tells format and encoding. @throws BadFileError for a file without bytes, or in an encoding that is not known. */
export async function readableFile(
  source: Source,
  settings: ReadSettings,
  now: bigint,
): Promise<ReadableFile> {
  if (source.size_bytes === 0) throw new BadFileError(['there is nothing to read: the file has no bytes']);
  const head = await source.head();
  const encoding = settings.encoding ?? namedEncoding(head) ?? 'utf-8';
  if (!isEncoding(encoding))
    throw new BadFileError([`the file says that it is in ${encoding}, which is not known here`]);
  const format = settings.format ?? formatOf(decodedHead(head, encoding));
  return {
    format,
    encoding,
    check: (found) => checkEncoding(source, encoding, found),
    records: (found) => withIds(READERS[format]({ source, encoding, settings, now, problems: found })),
  };
}

const READERS: Readonly<Record<FormatName, (context: ReadContext) => AsyncGenerator<FileRecord>>> = {
  csv: readCsv,
  'camt.053': readCamt053,
  mt940: readMt940,
};

function formatOf(head: string): FormatName {
  if (/^\s*</.test(head)) return 'camt.053';
  return /^(\{1:|:20:)/m.test(head) ? 'mt940' : 'csv';
}
