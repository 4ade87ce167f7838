/** Reads a text as a file, for the tests of the readers. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import type { FileRecord, Movement } from '../movement.js';
import type { Mapping } from '../mapping-file.js';
import { BadFileError, Problems } from '../problems.js';
import { readableFile, type ReadableFile } from '../read-file.js';
import { type ReadFlags, settingsOf } from '../settings-of.js';
import { openSource, type Source } from '../source.js';
import { type Survey, surveyFile } from '../survey.js';

/** 1 July 2024 at noon: what is dated later is in the future. */
export const NOW = 1_719_835_200_000_000n;

/** The header of today's default columns. */
export const HEADER =
  'movement_id,account_id,booked_on,kind,purpose,amount_minor,balance_after_minor,counterparty';

/** Flags as they are where nothing is typed. */
export function flags(changes: Partial<ReadFlags> = {}): ReadFlags {
  return { header: true, balances: true, map: [], currency: 'CZK', ...changes };
}

/** A file with these bytes, given to `use`. */
export async function withSource<T>(
  content: string | Buffer,
  use: (source: Source) => Promise<T>,
): Promise<T> {
  const directory = mkdtempSync(join(tmpdir(), 'quittance-reading-'));
  const path = join(directory, 'file');
  writeFileSync(path, content);
  const source = await openSource(path, Readable.from([]));
  try {
    return await use(source);
  } finally {
    await source.close();
    rmSync(directory, { recursive: true });
  }
}

async function withFile<T>(
  content: string | Buffer,
  changes: Partial<ReadFlags>,
  mapping: Mapping,
  use: (file: ReadableFile) => Promise<T>,
): Promise<T> {
  return withSource(content, async (source) =>
    use(await readableFile(source, settingsOf(flags(changes), mapping), NOW)),
  );
}

/** All records of a file. @throws BadFileError if anything could not be read. */
export async function recordsOf(
  content: string | Buffer,
  changes: Partial<ReadFlags> = {},
  mapping: Mapping = {},
): Promise<FileRecord[]> {
  return withFile(content, changes, mapping, async (file) => {
    const problems = new Problems();
    const records: FileRecord[] = [];
    for await (const record of file.records(problems)) records.push(record);
    problems.throwIfAny();
    return records;
  });
}

/** The movements among them. */
export async function rowsOf(
  content: string | Buffer,
  changes: Partial<ReadFlags> = {},
  mapping: Mapping = {},
): Promise<Movement[]> {
  const records = await recordsOf(content, changes, mapping);
  return records.flatMap((record) => (record.kind === 'movement' ? [record.movement] : []));
}

/** What a first pass finds. */
export async function surveyOf(
  content: string | Buffer,
  changes: Partial<ReadFlags> = {},
  mapping: Mapping = {},
): Promise<Survey> {
  return withFile(content, changes, mapping, surveyFile);
}

/** The problems that a first pass finds, one a line; empty if there are none. */
export async function problemsOf(
  content: string | Buffer,
  changes: Partial<ReadFlags> = {},
  mapping: Mapping = {},
): Promise<readonly string[]> {
  try {
    await surveyOf(content, changes, mapping);
    return [];
  } catch (error) {
    if (error instanceof BadFileError) return error.lines;
    throw error;
  }
}
