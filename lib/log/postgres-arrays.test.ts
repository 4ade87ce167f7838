import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { createTestDatabase, type TestDatabase } from '../../test/postgres.js';
import { createPool, type Pool } from './postgres-client.js';
import { byteaArray, int2Array, int4Array, int8Array, textArray, uuidArray } from './postgres-arrays.js';

let database: TestDatabase;
let pool: Pool;

beforeAll(async () => {
  database = await createTestDatabase();
  pool = createPool(database.config, { max: 1, name: 'arrays' });
});

afterAll(async () => {
  await pool.end();
  await database.drop();
});

test.each([
  [
    'bigint',
    int8Array([-(2n ** 63n), -1n, 0n, 2n ** 63n - 1n]),
    '{-9223372036854775808,-1,0,9223372036854775807}',
  ],
  ['integer', int4Array([-(2 ** 31), 2 ** 31 - 1]), '{-2147483648,2147483647}'],
  ['smallint', int2Array([-(2 ** 15), 2 ** 15 - 1]), '{-32768,32767}'],
  ['text', textArray(['', 'a b', 'größe', '"}', '😀']), '{"","a b",größe,"\\"}",😀}'],
  ['bytea', byteaArray([new Uint8Array(0), undefined, Uint8Array.of(0, 255)]), '{"\\\\x",NULL,"\\\\x00ff"}'],
  [
    'uuid',
    uuidArray([new Uint8Array(16).fill(17), undefined]),
    '{11111111-1111-1111-1111-111111111111,NULL}',
  ],
  ['text', textArray([]), '{}'],
])('the server reads an array of %s as it was meant', async (type, sent, expected) => {
  const { rows } = await pool.query<{ received: string }>(`select $1::${type}[]::text as received`, [sent]);
  expect(rows).toEqual([{ received: expected }]);
});

test('a number that does not fit is refused, not cut', () => {
  expect(() => int2Array([32768])).toThrow(/out of range/);
  expect(() => int8Array([2n ** 63n])).toThrow(/out of range/);
});
