/** Reads a mapping file: the flags of a bank's format, written down once, as JSON. */
import { readFile } from 'node:fs/promises';
import { UsageError } from '../../lib/process/command-line.js';

/** What a mapping file may say. Flags of the same name are stronger. */
export interface Mapping {
  readonly format?: string;
  readonly encoding?: string;
  readonly currency?: string;
  readonly account?: string;
  readonly delimiter?: string;
  readonly decimal?: string;
  readonly thousands?: string;
  readonly date_format?: string;
  readonly skip_lines?: number;
  readonly header?: boolean;
  readonly newest_first?: boolean;
  readonly derive_ids?: boolean;
  readonly ids_per_account?: boolean;
  readonly balances?: boolean;
  readonly columns?: Readonly<Record<string, string>>;
  readonly accounts?: Readonly<Record<string, string>>;
  readonly debit_words?: readonly string[];
  readonly credit_words?: readonly string[];
}

type Check = (value: unknown) => boolean;

const isText: Check = (value) => typeof value === 'string';
const isBoolean: Check = (value) => typeof value === 'boolean';
const isTexts: Check = (value) => Array.isArray(value) && value.every(isText);
const isTable: Check = (value) =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && Object.values(value).every(isText);
const isCount: Check = (value) => Number.isSafeInteger(value) && Number(value) >= 0;

const KEYS: Readonly<Record<keyof Mapping, readonly [check: Check, what: string]>> = {
  format: [isText, 'a text'],
  encoding: [isText, 'a text'],
  currency: [isText, 'a text'],
  account: [isText, 'a text'],
  delimiter: [isText, 'a text'],
  decimal: [isText, 'a text'],
  thousands: [isText, 'a text'],
  date_format: [isText, 'a text'],
  skip_lines: [isCount, 'a whole number'],
  header: [isBoolean, 'true or false'],
  newest_first: [isBoolean, 'true or false'],
  derive_ids: [isBoolean, 'true or false'],
  ids_per_account: [isBoolean, 'true or false'],
  balances: [isBoolean, 'true or false'],
  columns: [isTable, 'an object of texts'],
  accounts: [isTable, 'an object of texts'],
  debit_words: [isTexts, 'a list of texts'],
  credit_words: [isTexts, 'a list of texts'],
};

/** @throws UsageError for a file that cannot be read, is no JSON, or has a key that is not known. */
export async function readMapping(path: string): Promise<Mapping> {
  const text = await readFile(path, 'utf8').catch((error: unknown) => {
    throw new UsageError(`the mapping file ${path} cannot be read: ${messageOf(error)}`);
  });
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new UsageError(`the mapping file ${path} is no JSON: ${messageOf(error)}`);
  }
  const problem = problemOf(value);
  if (problem !== undefined) throw new UsageError(`the mapping file ${path}: ${problem}`);
  return value as Mapping;
}

function problemOf(value: unknown): string | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    return 'it has to be an object: { … }';
  for (const [key, held] of Object.entries(value)) {
    if (!isKey(key)) return `"${key}" is no key of it; there are ${Object.keys(KEYS).join(', ')}`;
    const [check, what] = KEYS[key];
    if (!check(held)) return `"${key}" has to be ${what}`;
  }
  return undefined;
}

function isKey(key: string): key is keyof Mapping {
  return Object.hasOwn(KEYS, key);
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
