import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createTestDatabase, type TestDatabase } from '../../../../test/postgres.js';
import { createPool, type Pool } from '../../../log/postgres-client.js';
import { scenario, naive } from '../contract/logs.js';
import { allRows } from '../contract/reading.js';
import { MissingEntityError } from '../../view-errors.js';
import { AccountKeys } from './account-keys.js';
import { HISTORY_PLANS, postgresHistory } from './history.js';

describe('the keys in memory', () => {
  test('are those of ledgers and accounts of the same name apart', () => {
    const keys = new AccountKeys();
    keys.setLedger('main', 1n);
    keys.setAccount('main', 'alice', 2n);
    keys.setAccount('other', 'alice', 5n);
    expect([keys.ledger('main'), keys.ledger('other')]).toEqual([1n, undefined]);
    expect([keys.account('main', 'alice'), keys.account('other', 'alice')]).toEqual([2n, 5n]);
    expect(keys.account('main', 'bob')).toBeUndefined();
  });

  test('are bounded: what is used stays, what is not goes', () => {
    const keys = new AccountKeys(10);
    keys.setLedger('main', 1n);
    keys.setAccount('main', 'used', 2n);
    keys.setAccount('main', 'unused', 3n);
    for (let n = 0; n < 40; n++) {
      keys.setAccount('main', `other-${String(n)}`, BigInt(n));
      expect([keys.ledger('main'), keys.account('main', 'used')]).toEqual([1n, 2n]);
    }
    expect(keys.account('main', 'unused')).toBeUndefined();
    expect(keys.account('main', 'other-39')).toBe(39n);
  });
});

describe('keys that are not in memory', () => {
  let database: TestDatabase;
  let pool: Pool;
  beforeAll(async () => {
    database = await createTestDatabase();
    pool = createPool(database.config, { max: 2, name: 'keys', options: HISTORY_PLANS });
    await postgresHistory(pool).migrate();
  });
  afterAll(async () => {
    await pool.end();
    await database.drop();
  });

  test('are read: a process goes on where another one was', async () => {
    const fixture = scenario(31, 60);
    const middle = BigInt(fixture.events.length) / 2n;
    const first = await postgresHistory(pool).current();
    await first.apply(fixture.batch(0n, middle));
    const second = await postgresHistory(pool).current();
    await second.apply(fixture.batch(middle + 1n));
    expect(await allRows(second)).toEqual(naive(fixture.events).rows());
  });

  test('and not in the view either fail the batch, which changes nothing', async () => {
    const fixture = scenario(32, 20);
    const view = await postgresHistory(pool).create();
    await view.apply(fixture.batch(0n, 1n));
    const before = [await allRows(view), await view.checkpoint(0)];
    const last = fixture.events.findLast(({ event }) => event.payload.case === 'transactionPosted');
    if (last === undefined) throw new Error('nothing was posted');
    await expect(view.apply(fixture.batch(last.position, last.position))).rejects.toThrow(MissingEntityError);
    expect([await allRows(view), await view.checkpoint(0)]).toEqual(before);
  });
});
