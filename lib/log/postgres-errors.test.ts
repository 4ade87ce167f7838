import { describe, expect, test } from '@jest/globals';
import { StoreUnavailable } from '../base/store-unavailable.js';
import { createPool } from './postgres-client.js';
import { postgresError } from './postgres-errors.js';

function coded(code: string): Error {
  return Object.assign(new Error('the text of the driver'), { code });
}

describe('errors of node-postgres that say that PostgreSQL is unavailable', () => {
  test.each([
    '08000',
    '08006',
    '53100',
    '53300',
    '57014',
    '57P01',
    '57P03',
    'ECONNREFUSED',
    'ECONNRESET',
    'EPIPE',
    'ENOENT',
    'ETIMEDOUT',
    'EHOSTUNREACH',
    'ENETUNREACH',
    'ENOTFOUND',
    'EAI_AGAIN',
  ])('code %s', (code) => {
    const cause = coded(code);
    expect(postgresError(cause)).toEqual(new StoreUnavailable('PostgreSQL', cause));
    expect(postgresError(cause)).toMatchObject({ cause });
  });

  test.each([
    'Connection terminated',
    'Connection terminated unexpectedly',
    'Connection terminated due to connection timeout',
    'timeout exceeded when trying to connect',
    'Client has encountered a connection error and is not queryable',
  ])('text %s', (text) => {
    expect(postgresError(new Error(text))).toBeInstanceOf(StoreUnavailable);
  });
});

test.each([coded('23505'), coded('42P01'), new Error('Command timed out'), 'a text', undefined])(
  'another error stays as it is: %s',
  (error) => {
    expect(postgresError(error)).toBe(error);
  },
);

test('an error is translated once', () => {
  const error = new StoreUnavailable('PostgreSQL', coded('ECONNREFUSED'));
  expect(postgresError(error)).toBe(error);
});

test('a pool translates what its connections and its statements fail with', async () => {
  const pool = createPool({ host: '127.0.0.1', port: 1 }, { max: 1, name: 'test' });
  try {
    await expect(pool.query('select 1')).rejects.toBeInstanceOf(StoreUnavailable);
    await expect(pool.connect()).rejects.toMatchObject({
      name: 'StoreUnavailable',
      store: 'PostgreSQL',
      message: expect.stringContaining('ECONNREFUSED'),
    });
  } finally {
    await pool.end();
  }
});
