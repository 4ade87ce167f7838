import { expect, test } from '@jest/globals';
import { byteaArray, int2Array, int8Array, uuidArray } from '../../../log/postgres-arrays.js';
import { BytesColumn, Int2Column, Int8Column } from './columns.js';

const MANY = 3_000;

test('a column has the bytes of the array of its values, beyond its first size too', () => {
  const numbers = Array.from({ length: MANY }, (_, n) => BigInt(n - 5) * 1_000_000_007n);
  const [wide, narrow, bytes] = [new Int8Column(), new Int2Column(), new BytesColumn('bytea')];
  for (const [index, number] of numbers.entries()) {
    wide.add(number);
    narrow.add(index - 7);
    bytes.add(index % 3 === 0 ? undefined : Buffer.alloc(index % 50, index));
  }
  expect(wide.parameter()).toEqual(int8Array(numbers));
  expect(narrow.parameter()).toEqual(int2Array(numbers.map((_, index) => index - 7)));
  expect(bytes.parameter()).toEqual(
    byteaArray(numbers.map((_, index) => (index % 3 === 0 ? undefined : Buffer.alloc(index % 50, index)))),
  );
  expect([wide.count, narrow.count, bytes.count]).toEqual([MANY, MANY, MANY]);
});

test('ids are of the type uuid, and an empty column is an array without values', () => {
  const ids = new BytesColumn('uuid');
  ids.add(Buffer.alloc(16, 1));
  ids.add(undefined);
  ids.add(Buffer.alloc(16, 2));
  expect(ids.parameter()).toEqual(uuidArray([Buffer.alloc(16, 1), undefined, Buffer.alloc(16, 2)]));
  expect(new Int8Column().parameter()).toEqual(int8Array([]));
});

test('nulls between values are sent, those at the end are not', () => {
  const column = new Int8Column();
  column.addUnlessZero(0n);
  column.addOptional(undefined);
  column.addUnlessZero(5n);
  column.addOptional(0n);
  column.addNull();
  column.addUnlessZero(0n);
  const values = column.parameter().subarray(20);
  expect(values).toEqual(
    Buffer.concat([Buffer.alloc(8, 0xff), int8Array([5n]).subarray(20), int8Array([0n]).subarray(20)]),
  );
  expect(column.parameter().readInt32BE(12)).toBe(4);
  expect(column.count).toBe(6);
  const empty = new Int8Column();
  empty.addNull();
  expect(empty.parameter()).toEqual(int8Array([]));
});
