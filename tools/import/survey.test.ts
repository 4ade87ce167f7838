import { expect, test } from '@jest/globals';
import { HEADER, problemsOf, surveyOf } from './test/reading.js';

function csv(...rows: string[]): string {
  return [HEADER, ...rows, ''].join('\n');
}

test('a movement id that stands twice is refused with both lines', async () => {
  const text = csv('1,a,2024-01-01,x,,100,100,', '2,a,2024-01-01,x,,-100,0,', '1,a,2024-01-01,x,,100,100,');
  expect(await problemsOf(text)).toEqual(['line 4: the movement id "1" stands in line 2 already']);
});

test('a printed balance that does not follow from the one before is told with what it should be', async () => {
  const text = csv(
    '1,a,2024-01-01,x,,100,100,',
    '2,b,2024-01-01,x,,7,7,',
    '3,a,2024-01-01,x,,-1,98,',
    '4,a,2024-01-01,x,,2,100,',
  );
  expect(await problemsOf(text)).toEqual([
    'line 4: the balance 0.98 CZK of account a does not follow: 1.00 CZK before it and the amount -0.01 CZK make 0.99 CZK',
  ]);
  expect(await problemsOf(text, { balances: false })).toEqual([]);
});

test('after a row that cannot be read, balances are not held against the rows behind it', async () => {
  const text = csv('1,a,2024-01-01,x,,100,100,', '2,a,never,x,,5,105,', '3,a,2024-01-02,x,,1,106,');
  expect(await problemsOf(text)).toEqual([expect.stringMatching(/^line 3: booked_on "never"/)]);
});

test('an account in two currencies is refused with both lines', async () => {
  const text = `${HEADER},currency\n1,a,2024-01-01,x,,1,1,,CZK\n2,a,2024-01-01,x,,1,1,,EUR\n`;
  expect(await problemsOf(text, { currency: undefined })).toEqual([
    'line 3: account a is in EUR here and in CZK in line 2; an account has one currency',
  ]);
});

test('what an account needs: where it starts, how low it goes, how it ends', async () => {
  const { accounts, rows, empty, balances } = await surveyOf(
    csv(
      '1,a,2024-01-01,x,,-30,20,',
      '2,a,2024-01-02,x,,0,20,',
      '3,a,2024-01-03,x,,-30,-10,',
      '4,a,2024-01-04,x,,50,40,',
    ),
  );
  expect({ rows, empty, balances }).toEqual({ rows: 4, empty: 1, balances: 4 });
  expect([...accounts.values()]).toMatchObject([
    { startBalance: 50n, lowestSum: -60n, sum: -10n, movements: 3, first: { line: 2 }, last: { line: 5 } },
  ]);
});

test('where a balance is printed now and then only, the start follows from the first one', async () => {
  const { accounts } = await surveyOf(
    csv('1,a,2024-01-01,x,,5,,', '2,a,2024-01-01,x,,7,112,', '3,a,2024-01-01,x,,1,,'),
  );
  expect(accounts.get('a')).toMatchObject({ startBalance: 100n });
  expect(
    await problemsOf(csv('1,a,2024-01-01,x,,5,5,', '2,a,2024-01-01,x,,7,,', '3,a,2024-01-01,x,,1,14,')),
  ).toHaveLength(1);
});

test.each([
  ['no bytes', '', 'there is nothing to read: the file has no bytes'],
  ['a header only', `${HEADER}\n`, 'the file has no movements; there is nothing to import'],
  ['blank lines only', '\n\n', 'the file has no header and no rows'],
])('a file of %s is refused', async (_, text, problem) => {
  expect(await problemsOf(text)).toEqual([problem]);
});

test('amounts that no account of the ledger can add up are refused', async () => {
  const rows = Array.from({ length: 10 }, (_, n) => `${n},a,2024-01-01,x,,999999999999999999,,`);
  expect((await problemsOf(csv(...rows)))[0]).toMatch(
    /^line 11: the amounts up to here are more than 9223372036854775807/,
  );
});

test('rows that are dated newest first are told where no balance shows their order', async () => {
  const text = csv('2,a,2024-01-02,x,,1,,', '1,a,2024-01-01,x,,1,,');
  expect((await surveyOf(text)).notes).toEqual([expect.stringContaining('--newest-first')]);
  expect((await surveyOf(text, { newestFirst: true })).notes).toEqual([]);
});
