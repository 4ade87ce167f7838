import { expect, test } from '@jest/globals';
import { headingOf, lineOf, widthsOf } from './table.js';

const COLUMNS = [
  { name: 'id', isRight: false },
  { name: 'amount', isRight: true },
];
const ROWS = [
  ['01980000-0000-7000-8000-000000000001', '7.00'],
  ['01980000-0000-7000-8000-000000000002', '1250.00'],
];

test('money stands at the right, and no id is cut where there is no terminal', () => {
  const widths = widthsOf(COLUMNS, ROWS, undefined);
  expect([
    headingOf(COLUMNS, widths),
    ...ROWS.map((row) => lineOf(COLUMNS, row, { widths, isCut: false })),
  ]).toEqual([
    'ID                                     AMOUNT',
    '01980000-0000-7000-8000-000000000001     7.00',
    '01980000-0000-7000-8000-000000000002  1250.00',
  ]);
});

test('on a narrow terminal the widest column gives way, visibly', () => {
  const widths = widthsOf(COLUMNS, ROWS, 24);
  const line = lineOf(COLUMNS, ROWS[0] ?? [], { widths, isCut: true });
  expect(line).toBe('01980000-0000-…     7.00');
  expect(line).toHaveLength(24);
});
