import { expect, test } from '@jest/globals';
import { rowsOf, surveyOf } from './test/reading.js';

const HEADER = 'account_id;booked_on;amount;balance_after;kind';
const ROWS = [
  'a;2024-01-01;5.00;5.00;x',
  'a;2024-01-02;-1.00;4.00;coffee',
  'a;2024-01-02;-1.00;3.00;coffee',
  'a;2024-01-03;-1.00;2.00;coffee',
];
const OPTIONS = { delimiter: ';', deriveIds: true };

async function idsOf(rows: readonly string[]): Promise<string[]> {
  return (await rowsOf([HEADER, ...rows, ''].join('\n'), OPTIONS)).map(({ movementId }) => movementId);
}

test('the ids of rows that have none are different, the same at every reading, and never to change', async () => {
  const ids = await idsOf(ROWS);
  expect(new Set(ids).size).toBe(4);
  expect(await idsOf(ROWS)).toEqual(ids);
  expect(ids[1]).toBe('_T0jqDBAxyIyQZSjyWzX1A-1');
});

test('a file that contains another one gives its rows the same ids, whichever of equal rows come first', async () => {
  const longer = [
    'a;2023-12-31;9.00;9.00;x',
    ...ROWS,
    'a;2024-01-03;-1.00;1.00;coffee',
    'b;2024-01-03;1.00;1.00;x',
  ];
  expect(await idsOf(longer)).toEqual(expect.arrayContaining(await idsOf(ROWS)));
});

test('the balance is no part of an id, so that a file may begin earlier or later', async () => {
  const other = ROWS.map((row) => row.replace(/;\d\.00;(\w+)$/, ';7.00;$1'));
  expect(await idsOf(other)).toEqual(await idsOf(ROWS));
});

test('ids are derived only on request: a column that is misspelt must not book a file twice', async () => {
  const text = [HEADER.replace('kind', 'movementid'), ...ROWS, ''].join('\n');
  await expect(surveyOf(text, { delimiter: ';' })).rejects.toThrow('id (or --derive-ids)');
});
