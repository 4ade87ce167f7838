import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ImportOptions, readOptions } from './options.js';
import { CSV_FIELDS, DEFAULT_COLUMNS } from './settings.js';

const COMPLETE = ['bank.csv', '--ledger', 'bank', '--currency', 'CZK'];

let directory: string;

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'quittance-options-'));
});

afterAll(() => {
  rmSync(directory, { recursive: true });
});

async function read(
  args: readonly string[],
  env = {},
): Promise<{ options: ImportOptions | undefined; printed: string }> {
  let printed = '';
  const stdout = { write: (text: string) => (printed += text) };
  return { options: await readOptions(args, env, { stdout }), printed };
}

function mappingFile(content: string): string {
  const path = join(directory, `${String(Math.random())}.json`);
  writeFileSync(path, content);
  return path;
}

test('file, ledger and currency are enough', async () => {
  expect((await read(COMPLETE)).options).toMatchObject({
    file: 'bank.csv',
    ledgerId: 'bank',
    address: 'localhost:50051',
    patience_ms: 60_000,
    dryRun: false,
    bookOpening: false,
    settings: {
      format: undefined,
      encoding: undefined,
      currency: 'CZK',
      balances: true,
      withCounterparty: false,
      csv: { delimiter: ',', header: true, deriveIds: false },
    },
  });
});

test('the server is found by the variables of the server, or by --address', async () => {
  const env = { QUITTANCE_GRPC_PORT: '50999', QUITTANCE_HOST: '127.0.0.1' };
  expect((await read(COMPLETE, env)).options?.address).toBe('127.0.0.1:50999');
  expect((await read([...COMPLETE, '--address', 'far:1'], env)).options?.address).toBe('far:1');
});

test('help is given wherever it is asked for, names every column and every exit code, and shows examples', async () => {
  const { options, printed } = await read(['bank.csv', '--help']);
  expect(options).toBeUndefined();
  for (const field of CSV_FIELDS) expect(printed).toContain(DEFAULT_COLUMNS[field]);
  for (const code of ['0', '1', '2', '3']) expect(printed).toMatch(new RegExp(`^ +${code}  \\w`, 'm'));
  expect(printed).toContain('npm run import -- bank.csv --ledger bank --currency CZK --dry-run');
  expect(printed).toContain('QUITTANCE_GRPC_PORT');
});

test('a mapping file says what flags say, and flags are stronger', async () => {
  const mapping = mappingFile(
    JSON.stringify({
      delimiter: 'tab',
      decimal: ',',
      thousands: ' ',
      encoding: 'windows-1250',
      currency: 'EUR',
      header: false,
      columns: { date: '1', amount: '2' },
      debit_words: ['Af'],
    }),
  );
  const { options } = await read([
    'a',
    '--ledger',
    'l',
    '--mapping',
    mapping,
    '--currency',
    'CZK',
    '--map',
    'amount=3',
  ]);
  expect(options?.settings).toMatchObject({
    encoding: 'windows-1250',
    currency: 'CZK',
    csv: {
      delimiter: '\t',
      numbers: { decimal: ',', thousands: 'space' },
      header: false,
      columns: new Map([
        ['date', '1'],
        ['amount', '3'],
      ]),
      debitWords: new Set(['Af']),
    },
  });
});

test.each([
  [['--ledger', 'bank'], "missing required argument 'file'"],
  [['a.csv', 'b.csv', '--ledger', 'bank', '--currency', 'CZK'], '"b.csv" is one argument too many'],
  [['a.csv', '--currency', 'CZK'], "required option '--ledger <id>' not specified"],
  [['a.csv', '--ledger', '@bank', '--currency', 'CZK'], 'A ledger id has letters'],
  [['a.csv', '--ledger', 'bank', '--currency', 'koruna'], '--currency koruna is no currency'],
  [['a.csv', '--ledger', 'bank', '--currency', 'xqq'], '--currency xqq is no currency'],
  [[...COMPLETE, '--patience', 'long'], 'It is a whole number'],
  [[...COMPLETE, '--verbose'], '--verbose'],
  [[...COMPLETE, '--format', 'ofx'], '--format is "ofx"; it can be csv, camt.053, mt940'],
  [[...COMPLETE, '--encoding', 'klingon'], '--encoding klingon is not known'],
  [[...COMPLETE, '--delimiter', ';;'], '--delimiter is one character'],
  [[...COMPLETE, '--decimal', ',', '--thousands', ','], 'cannot stand before decimals and between thousands'],
  [[...COMPLETE, '--date-format', 'DD.MM'], '--date-format DD.MM needs a year'],
  [[...COMPLETE, '--map', 'date'], '--map date has to be FIELD=COLUMN'],
  [[...COMPLETE, '--map', 'when=Datum'], 'it can be id, account, date'],
  [[...COMPLETE, '--no-header', '--map', 'date=Datum'], 'without a header columns are numbers from 1'],
  [[...COMPLETE, '--account', 'a b'], 'the account "a b" is no account id'],
  [[...COMPLETE, '--mapping', '/nowhere.json'], 'the mapping file /nowhere.json cannot be read'],
  [[...COMPLETE, '--book-opening', '--no-balances'], '--book-opening books a printed balance'],
])('%j is refused in a sentence', async (args, message) => {
  await expect(read(args)).rejects.toThrow(message);
});

test.each([
  ['{', 'is no JSON'],
  ['[]', 'it has to be an object'],
  ['{"delimitor": ";"}', '"delimitor" is no key of it; there are format, encoding'],
  ['{"columns": ["date"]}', '"columns" has to be an object of texts'],
  ['{"header": "no"}', '"header" has to be true or false'],
])('the mapping file %s is refused in a sentence', async (content, message) => {
  await expect(read([...COMPLETE, '--mapping', mappingFile(content)])).rejects.toThrow(message);
});
