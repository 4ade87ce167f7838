import { describe, expect, test } from '@jest/globals';
import { ClickHouseError } from '@clickhouse/client';
import { StoreUnavailable } from '../../../base/store-unavailable.js';
import { ClickHouse } from './client.js';
import { clickhouseError } from './errors.js';

describe('errors of @clickhouse/client that say that ClickHouse is unavailable', () => {
  test.each(['Timeout error.', 'Socket hang up', 'socket hang up'])('text %s', (text) => {
    const cause = new Error(text);
    expect(clickhouseError(cause)).toMatchObject({ name: 'StoreUnavailable', store: 'ClickHouse', cause });
  });

  test.each(['ECONNREFUSED', 'ECONNRESET', 'EPIPE', 'ETIMEDOUT', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH'])(
    'code %s',
    (code) => {
      expect(clickhouseError(Object.assign(new Error('x'), { code }))).toBeInstanceOf(StoreUnavailable);
    },
  );
});

test('an answer of the server stays as it is', () => {
  const error = new ClickHouseError({ message: 'Unknown table', code: '60', type: 'UNKNOWN_TABLE' });
  expect(clickhouseError(error)).toBe(error);
});

test('the client translates what its calls fail with', async () => {
  const store = new ClickHouse('http://127.0.0.1:1/test');
  try {
    const unavailable = { name: 'StoreUnavailable', store: 'ClickHouse' };
    await expect(store.select('select 1')).rejects.toMatchObject(unavailable);
    await expect(store.command('select 1')).rejects.toMatchObject(unavailable);
    await expect(store.insert('t', ['a'], [[1]])).rejects.toMatchObject(unavailable);
    await expect(store.ping()).rejects.toMatchObject(unavailable);
  } finally {
    await store.close();
  }
});
