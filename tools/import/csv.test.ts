import { expect, test } from '@jest/globals';
import { Buffer } from 'node:buffer';
import { HEADER, problemsOf, rowsOf } from './test/reading.js';

const GOOD = '1,alice,1993-01-31,cash_deposit,,90000,90000,';

test('a row is read as it is, its date as 00:00Z in microseconds', async () => {
  expect(await rowsOf(`${HEADER}\n${GOOD}\n`)).toEqual([
    {
      line: 2,
      movementId: '1',
      identity: ['cash_deposit', '', '', ''],
      reference: '1',
      accountId: 'alice',
      currency: 'CZK',
      bookedOn: 728_438_400_000_000n,
      kind: 'cash_deposit',
      purpose: '',
      amount: 90_000n,
      balanceBefore: undefined,
      balanceAfter: 90_000n,
      counterparty: '',
      description: '',
    },
  ]);
});

test('columns may come in any order, with others among them, quotes, blank lines, CRLF and a byte order mark', async () => {
  const rows = await rowsOf(
    '\ufeffbalance_after_minor,note,kind,movement_id,account_id,booked_on,purpose,amount_minor\r\n\r\n' +
      '-5,"a, b",x,7,alice,2020-02-29,y,-5\r\n',
  );
  expect(rows).toMatchObject([{ movementId: '7', amount: -5n, balanceAfter: -5n, counterparty: '' }]);
});

test.each([
  ['a fraction', `${HEADER}\n${GOOD}\n2,alice,1993-01-31,x,,1.5,90001,\n`, 'line 3: amount_minor "1.5"'],
  ['a day that is none', `${HEADER}\n1,alice,1993-02-30,x,,1,1,\n`, 'line 2: booked_on "1993-02-30"'],
  ['a day before 1970', `${HEADER}\n1,alice,1969-12-31,x,,1,1,\n`, 'line 2: booked_on 1969-12-31'],
  [
    'a day in the future',
    `${HEADER}\n1,alice,2024-07-02,x,,1,1,\n`,
    'line 2: booked_on 2024-07-02 is in the future',
  ],
  ['no movement id', `${HEADER}\n,alice,1993-01-31,x,,1,1,\n`, 'line 2: movement_id'],
  [
    'a long movement id',
    `${HEADER}\n${'i'.repeat(129)},alice,1993-01-31,x,,1,1,\n`,
    'line 2: movement_id has 129',
  ],
  ['a long purpose', `${HEADER}\n1,alice,1993-01-31,x,${'p'.repeat(501)},1,1,\n`, 'line 2: purpose has 501'],
  ['an account of ours', `${HEADER}\n1,@settlement:CZK,1993-01-31,x,,1,1,\n`, 'line 2: account_id'],
  [
    'an amount of 10^18',
    `${HEADER}\n1,alice,1993-01-31,x,,1000000000000000000,1,\n`,
    'line 2: the amount is beyond',
  ],
  ['a short row', `${HEADER}\n${GOOD}\n1,alice\n`, 'line 3: the row has 2 columns, and the header 8'],
  ['an open quote', `${HEADER}\n${GOOD}\n1,"alice,1993-01-31,x,,1,1,\n`, 'Quote Not Closed'],
])('%s is refused with its line', async (_, text, problem) => {
  expect((await problemsOf(text)).join('\n')).toContain(problem);
});

test('every faulty row is told, not only the first one, and each of its faults', async () => {
  const rows = [
    '1,alice,1993-13-31,x,,1,1,',
    GOOD,
    '3,al ice,1993-01-31,x,,one,1,',
    '4,a"b,1993-01-31,x,,1,1,',
  ];
  expect(await problemsOf([HEADER, ...rows, ''].join('\n'))).toEqual([
    'line 2: booked_on "1993-13-31" is no day such as YYYY-MM-DD (--date-format)',
    expect.stringMatching(/^line 4: account_id "al ice" is no account id/),
    'line 4: amount_minor "one" is no whole number of minor units',
    expect.stringMatching(/^line 5: .*Invalid Opening Quote/),
  ]);
});

test('of very many problems the first ones are told, and how many there are besides', async () => {
  const rows = Array.from({ length: 1000 }, (_, n) => `${n},alice,never,x,,1,1,`);
  const lines = await problemsOf([HEADER, ...rows, ''].join('\n'));
  expect(lines).toHaveLength(51);
  expect(lines.at(-1)).toBe('and 950 more problems');
});

test('a header without the needed columns lists the columns found and says how to map them', async () => {
  const [problem] = await problemsOf('Buchungstag;Betrag\n01.01.2024;1,50\n', { delimiter: ';' });
  expect(problem).toBe(
    'line 1: no column is named for account (or --account ID), date, amount (or amount_minor, or debit and credit), ' +
      'id (or --derive-ids); the columns found are "Buchungstag", "Betrag". Say which column is which, for example ' +
      '--map date=COLUMN --map amount=COLUMN, or with a mapping file (--help)',
  );
  expect((await problemsOf('Buchungstag;Betrag\n01.01.2024;1,50\n'))[0]).toContain('--delimiter ";"');
  expect((await problemsOf(`${HEADER}\n${GOOD}\n`, { map: ['date=Datum'] }))[0]).toContain(
    'there is no column "Datum" for date',
  );
});

test('a German export is read: semicolons, decimal commas, points between thousands, German days, its own columns', async () => {
  const text =
    'Umsätze vom 02.01.2024\n\n' +
    'Buchungstag;Auftraggeber;Verwendungszweck;Betrag;Saldo\n' +
    '02.01.24;Anna;"Miete; Januar";-1.250,50;2.749,50\n' +
    '03.01.24;Firma;Lohn;3.000,00;5.749,50\n';
  const rows = await rowsOf(Buffer.from(text, 'latin1'), {
    currency: 'EUR',
    encoding: 'iso-8859-1',
    delimiter: ';',
    decimal: ',',
    thousands: '.',
    dateFormat: 'DD.MM.YY',
    skipLines: 2,
    account: 'giro',
    deriveIds: true,
    map: [
      'date=Buchungstag',
      'amount=Betrag',
      'balance=Saldo',
      'counterparty=Auftraggeber',
      'description=Verwendungszweck',
    ],
  });
  expect(rows).toMatchObject([
    { line: 4, accountId: 'giro', amount: -125_050n, balanceAfter: 274_950n, description: 'Miete; Januar' },
    { line: 5, accountId: 'giro', amount: 300_000n, bookedOn: 1_704_240_000_000_000n },
  ]);
});

test('debit and credit may stand in two columns, a minus before or behind, and a word may say the direction', async () => {
  const columns = { deriveIds: true, account: 'a', delimiter: ';' };
  const two = 'booked_on;debit;credit\n2024-01-01;12.50;\n2024-01-02;;7\n2024-01-03;-1.00;0.00\n';
  expect((await rowsOf(two, columns)).map(({ amount }) => amount)).toEqual([-1250n, 700n, -100n]);
  expect(await problemsOf('booked_on;debit;credit\n2024-01-01;1;1\n2024-01-01;;\n', columns)).toEqual([
    'line 2: debit and credit both hold an amount',
    'line 3: debit and credit are both empty',
  ]);
  const signs = 'booked_on;amount\n2024-01-01;12.50-\n2024-01-02;+7.1\n2024-01-03;\u22123\n';
  expect((await rowsOf(signs, columns)).map(({ amount }) => amount)).toEqual([-1250n, 710n, -300n]);
  const words = 'booked_on;amount;Af Bij\n2024-01-01;12.50;Af\n2024-01-02;7.10;Bij\n2024-01-03;1;Uit\n';
  const mapped = { ...columns, map: ['direction=Af Bij'] };
  const mapping = { debit_words: ['Af'], credit_words: ['Bij'] };
  expect(await problemsOf(words, mapped, mapping)).toEqual([
    'line 4: Af Bij "Uit" is neither among the debit_words nor the credit_words',
  ]);
  const [first] = await rowsOf(words.replace('Uit', 'Bij'), mapped, mapping);
  expect(first?.amount).toBe(-1250n);
});

test('what a mapping file says, flags can overrule; columns without a header have numbers', async () => {
  const mapping = {
    header: false,
    delimiter: '|',
    date_format: 'M/D/YYYY',
    currency: 'USD',
    columns: { id: '1', account: '2', date: '3', amount: '4' },
    accounts: { 'DE 1': 'one' },
  };
  const text = '7|DE 1|2/9/2024|1,234.50\n8|two|12/31/2023|1\n';
  expect(await rowsOf(text, { currency: undefined, thousands: ',' }, mapping)).toMatchObject([
    {
      line: 1,
      movementId: '7',
      accountId: 'one',
      amount: 123_450n,
      currency: 'USD',
      bookedOn: 1_707_436_800_000_000n,
    },
    { movementId: '8', accountId: 'two' },
  ]);
});

test('a currency may stand in a column; one of the file that --currency does not name is refused', async () => {
  const text = `${HEADER},currency\n1,a,2024-01-01,x,,1,1,,CZK\n2,b,2024-01-01,x,,1,1,,JPY\n3,c,2024-01-01,x,,1,1,,XQQ\n`;
  expect(await problemsOf(text)).toEqual([
    'line 3: the currency "JPY" is not CZK, which --currency names',
    'line 4: the currency "XQQ" is not CZK, which --currency names',
  ]);
  expect(await problemsOf(text, { currency: undefined })).toEqual([
    'line 4: "XQQ" is no currency of ISO 4217, such as EUR',
  ]);
});

test('decimals beyond those of the currency are refused unless they are zeros', async () => {
  const text = (amount: string): string => `account_id;booked_on;amount\na;2024-01-01;${amount}\n`;
  const options = { delimiter: ';', deriveIds: true, currency: 'JPY' };
  expect((await rowsOf(text('100.00'), options))[0]?.amount).toBe(100n);
  expect(await problemsOf(text('100.5'), options)).toEqual([
    'line 2: amount "100.5" has more than 0 decimals, which the currency has',
  ]);
});

test('a point between thousands is not taken for a decimal point, nor groups of two digits for thousands', async () => {
  const text = (amount: string): string => `account_id;booked_on;amount\na;2024-01-01;${amount}\n`;
  const german = { delimiter: ';', deriveIds: true, decimal: ',', thousands: '.' };
  expect((await rowsOf(text('1.234,5'), german))[0]?.amount).toBe(123_450n);
  for (const wrong of ['1.50', '12.34.567', '1,2,3', '1 234', '.123', ''])
    expect(await problemsOf(text(wrong), german)).toHaveLength(1);
  const swiss = { ...german, decimal: '.', thousands: "'" };
  expect((await rowsOf(text("1'234’567.05"), swiss))[0]?.amount).toBe(123_456_705n);
  const french = { ...german, thousands: 'space' };
  expect((await rowsOf(text('1\u202f234\u00a0567,05'), french))[0]?.amount).toBe(123_456_705n);
});

test('rows may stand newest first', async () => {
  const text = `${HEADER}\n2,a,2024-01-02,x,,-1,4,\n1,a,2024-01-01,x,,5,5,\n`;
  expect(await problemsOf(text)).toEqual([
    'the printed balances fit from the last row to the first: add --newest-first',
  ]);
  expect(await problemsOf(text, { newestFirst: true })).toEqual([]);
  expect((await rowsOf(text, { newestFirst: true })).map(({ movementId }) => movementId)).toEqual(['1', '2']);
});

test('rows of empty columns at the end are passed over, as are the delimiters that some banks end their rows with', async () => {
  const text = `${HEADER}\n${GOOD},\n,,,,,,,\n`;
  expect(await rowsOf(text)).toHaveLength(1);
});

test('ids that are unique in their account only can be told apart', async () => {
  const text = `${HEADER}\n1,a,2024-01-01,x,,1,1,\n1,b,2024-01-01,x,,1,1,\n`;
  expect(await problemsOf(text)).toEqual(['line 3: the movement id "1" stands in line 2 already']);
  const rows = await rowsOf(text, { idsPerAccount: true });
  expect(rows).toMatchObject([
    { movementId: 'a/1', reference: '1' },
    { movementId: 'b/1', reference: '1' },
  ]);
});
