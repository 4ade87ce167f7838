import { expect, test } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { problemsOf, recordsOf, rowsOf, surveyOf } from './test/reading.js';

const ANY_CURRENCY = { currency: undefined };

function sample(name: string): Buffer {
  return readFileSync(new URL(`./samples/${name}`, import.meta.url));
}

/** A statement with this in the middle, from 100,00 to 100,00. */
function statement(...lines: string[]): string {
  return [
    ':20:X',
    ':25:a',
    ':28C:1/1',
    ':60F:C240102EUR100,00',
    ...lines,
    ':62F:C240103EUR100,00',
    '-',
    '',
  ].join('\r\n');
}

test('a German file: two statements, subfields of 86, a returned debit, movements that say the same', async () => {
  const text = sample('german.sta');
  const rows = await rowsOf(text, { ...ANY_CURRENCY, withDescription: true });
  expect(rows).toMatchObject([
    {
      line: 5,
      accountId: '10050000:0123456789',
      currency: 'EUR',
      amount: -125_050n,
      bookedOn: 1_704_240_000_000_000n,
      kind: 'N033',
      reference: '240103001',
      counterparty: 'EDEKA MARKT BERLIN',
      description: 'SVWZ+EDEKA SAGT DANKE 2024-01-03T18:12',
    },
    { line: 8, amount: 300_000n, counterparty: 'MUSTER GMBH', description: 'SVWZ+LOHN/GEHALT 01/2024' },
    { amount: -4_950n, reference: '', description: 'STROM' },
    { amount: -4_950n, description: 'STROM' },
    { amount: 4_950n, bookedOn: 1_704_412_800_000_000n, kind: 'NRTI' },
  ]);
  expect(new Set(rows.map(({ movementId }) => movementId)).size).toBe(5);
  const survey = await surveyOf(text, ANY_CURRENCY);
  expect(survey).toMatchObject({ rows: 5, balances: 4 });
  expect([...survey.accounts.values()]).toMatchObject([{ startBalance: 400_000n, sum: 170_000n }]);
});

test('a Dutch file with a header of its own: the entry date may be in the year after the value date', async () => {
  const rows = await rowsOf(sample('dutch-header.sta'), ANY_CURRENCY);
  expect(rows).toMatchObject([
    {
      accountId: '517852257',
      amount: -900n,
      bookedOn: 1_704_153_600_000_000n,
      counterparty: 'J. JANSEN',
      description: 'CONTRIBUTIE 2024',
    },
    { amount: 10_050n, reference: 'B4711', description: 'BETALING VAN VRIEND' },
  ]);
  expect(await problemsOf(sample('dutch-header.sta'), ANY_CURRENCY)).toEqual([]);
});

test('a file in the envelope of SWIFT: what stands after the closing balance describes the statement', async () => {
  const records = await recordsOf(sample('dutch-envelope.sta'), ANY_CURRENCY);
  expect(records.map(({ kind }) => kind)).toEqual(['opening', 'movement', 'closing']);
  expect(await rowsOf(sample('dutch-envelope.sta'), ANY_CURRENCY)).toMatchObject([
    { accountId: 'NL69INGB0123456789EUR', amount: -156n, reference: '24010208210001' },
  ]);
});

test('a Czech file in Windows-1250, below zero at first, with a credit taken back', async () => {
  expect((await problemsOf(sample('czech.sta'), ANY_CURRENCY))[0]).toMatch(/^line 7: the byte 0xf8/);
  const rows = await rowsOf(sample('czech.sta'), { ...ANY_CURRENCY, encoding: 'windows-1250' });
  expect(rows).toMatchObject([
    { accountId: '0100:19-2000145399', amount: 25_000n, description: 'Příchozí platba – důchod' },
    { amount: -5_000n, description: 'Storno příchozí platby' },
  ]);
  expect(await problemsOf(sample('czech.sta'), { ...ANY_CURRENCY, encoding: 'windows-1250' })).toEqual([]);
});

test.each([
  ['an amount', [':61:240103D1.00NTRFNONREF'], 'line 5: :61: "240103D1.00NTRFNONREF" is no movement'],
  [
    'an amount of too many decimals',
    [':61:240103D1,005NTRFNONREF'],
    'line 5: :61: "1,005" has more than 2 decimals',
  ],
  ['a day that the calendar does not have', [':61:240230D1,00NTRFNONREF'], 'line 5: :61: "240230" is no day'],
  ['an entry date', [':61:2401031301D1,00NTRFNONREF'], 'line 5: :61: the entry date "1301" is no day'],
  ['a day in the future', [':61:240702D1,00NTRFNONREF'], 'line 5: :61: 2024-07-02 is in the future'],
  ['a field', [':99:X'], 'line 5: :99: is no field of MT940'],
  ['a text that belongs to no field', [':21:X', 'stray'], 'line 6: "stray" belongs to no field of MT940'],
  [
    'a sum',
    [':61:240103D1,00NTRFNONREF'],
    'line 6: account a closes with 100.00 EUR where its opening balance and movements make 99.00 EUR',
  ],
  [
    'a movement behind the closing balance',
    [':62F:C240103EUR100,00', ':61:240103D1,00NTRFNONREF'],
    'line 6: :61: stands outside',
  ],
])('%s that is wrong is a problem with its line', async (_, lines, problem) => {
  expect((await problemsOf(statement(...lines), ANY_CURRENCY))[0]).toContain(problem);
});

test('a file that is cut off is told by the closing balance that it lacks', async () => {
  const [problem] = await problemsOf(
    ':20:X\n:25:a\n:28C:1/1\n:60F:C240102EUR100,00\n:61:240103D1,00NTRFNONREF\n',
    ANY_CURRENCY,
  );
  expect(problem).toContain('line 1: the statement that begins here has no closing balance (:62F:)');
});

test('a statement that is missing between two, or there twice, is told', async () => {
  const one = statement();
  expect(await problemsOf(one + one, ANY_CURRENCY)).toEqual([
    'line 10: the statement 1/1 of account a stands in line 4 already',
  ]);
  const next = one.replaceAll('100,00', '90,00').replace('1/1', '2/1');
  expect(await problemsOf(one + next, ANY_CURRENCY)).toEqual([
    'line 10: account a opens with 90.00 EUR where it was at 100.00 EUR; a statement is missing, or stands out of order',
  ]);
});

test('accounts can be renamed by what the file calls them, and one currency asked for', async () => {
  const accounts = { '10050000/0123456789': 'giro' };
  const rows = await rowsOf(sample('german.sta'), ANY_CURRENCY, { accounts });
  expect(new Set(rows.map(({ accountId }) => accountId))).toEqual(new Set(['giro']));
  expect((await problemsOf(sample('german.sta'), { currency: 'CZK' }))[0]).toContain('"EUR" is not CZK');
});
