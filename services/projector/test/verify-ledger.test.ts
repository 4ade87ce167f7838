import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { Scenario } from '../../../lib/views/history/test/scenario.js';
import { Books, named } from '../verify/test/books.js';

let books: Books;
beforeAll(async () => {
  books = await Books.open(new Scenario(1).grow(600).fixture);
  await books.settle();
});
afterAll(() => books.close());

test('a ledger that every kind of command has touched verifies clean', async () => {
  const report = await books.verify('main');
  expect(report.findings.slice(0, 5)).toEqual([]);
  expect(named(report)).toEqual([]);
  expect(report.verdict).toMatchObject({ ok: true });
});
