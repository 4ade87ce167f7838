import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Movement, readMovements } from './movements.js';

const HEADER = 'movement_id,account_id,booked_on,kind,purpose,amount_minor,balance_after_minor,counterparty';
const GOOD = '1,alice,1993-01-31,cash_deposit,,90000,90000,';

let directory: string;

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'quittance-movements-'));
});

afterAll(() => {
  rmSync(directory, { recursive: true });
});

async function read(text: string): Promise<Movement[]> {
  const file = join(directory, 'movements.csv');
  writeFileSync(file, text);
  const rows: Movement[] = [];
  for await (const row of readMovements(file)) rows.push(row);
  return rows;
}

test('a row is read as it is, its date as 00:00Z in microseconds', async () => {
  expect(await read(`${HEADER}\n${GOOD}\n`)).toEqual([
    {
      line: 2,
      movementId: '1',
      accountId: 'alice',
      bookedOn: 728_438_400_000_000n,
      kind: 'cash_deposit',
      purpose: '',
      amount: 90_000n,
      balanceAfter: 90_000n,
      counterparty: '',
    },
  ]);
});

test('columns may come in any order, with others among them, quotes, blank lines, CRLF and a byte order mark', async () => {
  const rows = await read(
    '\ufeffbalance_after_minor,note,kind,movement_id,account_id,booked_on,purpose,amount_minor\r\n\r\n' +
      '-5,"a, b",x,7,alice,2020-02-29,y,-5\r\n',
  );
  expect(rows).toMatchObject([{ movementId: '7', amount: -5n, balanceAfter: -5n, counterparty: '' }]);
});

test.each([
  ['a missing column', 'movement_id,account_id\n', 'line 1: the header lacks booked_on'],
  ['a fraction', `${HEADER}\n${GOOD}\n2,alice,1993-01-31,x,,1.5,90001,\n`, 'line 3: amount_minor "1.5"'],
  ['a day that is none', `${HEADER}\n1,alice,1993-02-30,x,,1,1,\n`, 'line 2: booked_on "1993-02-30"'],
  ['a day before 1970', `${HEADER}\n1,alice,1969-12-31,x,,1,1,\n`, 'line 2: booked_on 1969-12-31'],
  ['no movement id', `${HEADER}\n,alice,1993-01-31,x,,1,1,\n`, 'line 2: movement_id'],
  ['an account of ours', `${HEADER}\n1,@settlement:CZK,1993-01-31,x,,1,1,\n`, 'line 2: account_id'],
  [
    'an amount of 10^18',
    `${HEADER}\n1,alice,1993-01-31,x,,1000000000000000000,1,\n`,
    'line 2: amount_minor is beyond',
  ],
  ['a short row', `${HEADER}\n${GOOD}\n1,alice\n`, 'line 3: '],
  ['an open quote', `${HEADER}\n${GOOD}\n1,"alice,1993-01-31,x,,1,1,\n`, 'Quote Not Closed'],
])('%s is refused with its line', async (_, text, message) => {
  await expect(read(text)).rejects.toThrow(message);
});

test('a file that does not exist is named', async () => {
  const rows = readMovements(join(directory, 'nowhere.csv'));
  await expect(rows.next()).rejects.toMatchObject({ code: 'ENOENT' });
});
