/** Duties begin and end with the lease. */
import { expect, test } from '@jest/globals';
import { until } from '../../../test/until.js';
import { Duties, type Duty } from './duties.js';

/** A lease that the test gives and takes, and duties that write down what becomes of them. */
function parts() {
  const said: string[] = [];
  const listeners: (() => void)[] = [];
  const lease = {
    isHolder: false,
    onChange: (listener: () => void) => {
      listeners.push(listener);
      return () => undefined;
    },
    turn: (isHolder: boolean) => {
      lease.isHolder = isHolder;
      for (const listener of listeners) listener();
    },
  };
  const duty = (name: string): Duty => ({
    name,
    begin: () => {
      said.push(`${name} begins`);
      return Promise.resolve(() => {
        said.push(`${name} ends`);
        return Promise.resolve();
      });
    },
  });
  const errors: unknown[] = [];
  const logger = { error: (about: unknown) => errors.push(about) };
  return { said, lease, duty, errors, logger };
}

test('without a lease they begin at once', async () => {
  const { said, duty, logger } = parts();
  const duties = new Duties([duty('one'), duty('two')], logger);
  await duties.begin(undefined, () => undefined);
  expect(said).toEqual(['one begins', 'two begins']);
  await duties.stop();
  expect(said.slice(2)).toEqual(['two ends', 'one ends']);
});

test('with a lease they begin when it is taken, end when it is lost, and begin again', async () => {
  const { said, lease, duty, logger } = parts();
  const duties = new Duties([duty('one')], logger);
  let changes = 0;
  await duties.begin(lease, () => (changes += 1));
  expect(said).toEqual([]);
  for (const isHolder of [true, false, true]) {
    const before = said.length;
    lease.turn(isHolder);
    await until(() => said.length > before);
  }
  await duties.stop();
  expect(changes).toBe(3);
  expect(said).toEqual(['one begins', 'one ends', 'one begins', 'one ends']);
});

test('after a stop they do not begin again', async () => {
  const { said, lease, duty, logger } = parts();
  const duties = new Duties([duty('one')], logger);
  await duties.begin(lease, () => undefined);
  await duties.stop();
  lease.turn(true);
  await duties.stop();
  expect(said).toEqual([]);
});

test('one that cannot begin keeps no other from it', async () => {
  const { said, duty, errors, logger } = parts();
  const failing: Duty = { name: 'failing', begin: () => Promise.reject(new Error('no')) };
  const duties = new Duties([failing, duty('two')], logger);
  await duties.begin(undefined, () => undefined);
  await duties.stop();
  expect(said).toEqual(['two begins', 'two ends']);
  expect(errors).toHaveLength(1);
});
