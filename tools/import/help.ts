/** The text of `npm run import -- --help`, but for the options, which stand with their meaning in options.ts. */
import type { CommandText } from '../../lib/process/command-line.js';
import { ACCESS_VARIABLE_HELP } from '../client/access.js';
import { ADDRESS_VARIABLE_HELP } from '../client/address.js';
import { CSV_FIELDS, DEFAULT_COLUMNS } from './settings.js';

const MEANINGS = {
  id: 'the id of the row, unique in the ledger for ever; becomes its reference',
  account: 'the account: letters, digits and _.:- , at most 128 characters',
  date: 'the booking day; becomes the effective_time at 00:00Z',
  currency: 'ISO 4217 code, or the code of an asset that --currency names',
  amount: 'signed, with decimals: above zero a Deposit, below zero a Withdraw',
  amount_minor: 'the same as a whole number of minor units',
  debit: 'what goes out, where two columns stand for the amount',
  credit: 'what comes in',
  direction: 'which way an amount without a sign goes: D or C, or the words of the mapping file',
  balance: 'the balance printed after the row, with decimals; compared with the ledger',
  balance_minor: 'the same as a whole number of minor units',
  kind: 'such as cash_deposit; kept as metadata',
  purpose: 'such as pension; kept as metadata',
  counterparty: 'kept as metadata by --with-counterparty only',
  description: 'kept by --with-description only',
} as const;

/** What the command says of itself. */
export const COMMAND_TEXT: CommandText = {
  name: 'npm run import --',
  summary:
    'Books account movements from a CSV, CAMT.053 or MT940 file into a ledger, in order, and compares every balance that the file prints with the ledger. The file is checked as a whole before anything is booked; run it again to go on where it was interrupted: nothing is booked twice.',
  environment: { ...ADDRESS_VARIABLE_HELP, ...ACCESS_VARIABLE_HELP },
  examples: [
    ['npm run import -- bank.csv --ledger bank --currency CZK', 'a CSV with the columns below'],
    ['npm run import -- bank.csv --ledger bank --currency CZK --dry-run', 'check it, book nothing'],
    ['npm run import -- statement.xml --ledger bank --book-opening', 'the first CAMT.053 of an account'],
    ['npm run import -- umsatz.sta --ledger bank --encoding latin1', 'an MT940 in ISO-8859-1'],
    ['npm run import -- umsatz.csv --ledger bank --mapping sparkasse.json', "another bank's columns"],
    ['zcat bank.csv.gz | npm run -s import -- - --ledger bank --currency CZK', 'from a pipe'],
  ],
  notes: [
    [
      'Columns of a CSV (--map FIELD=COLUMN), with the names by which they are found otherwise:',
      ...CSV_FIELDS.map(
        (field) => `  ${field.padEnd(14)}${DEFAULT_COLUMNS[field].padEnd(21)}${MEANINGS[field]}`,
      ),
    ].join('\n'),
    [
      'Exit codes:',
      '  0  everything is booked, and every printed balance is the ledger’s',
      '  1  booked, but some balances differ, or some movements were declined or refused',
      '  2  nothing was booked: the command line, the file or the ledger is not as it has to be',
      '  3  interrupted: the server could not be reached or went away; run the same command again',
    ].join('\n'),
    'A mapping file is JSON and says what the flags say: docs/import.md.',
  ],
};
