import { expect, test } from '@jest/globals';
import { createCloseables, unwindOnFailure } from './closeables.js';

test('what was made last is closed first, each after the one before is done', async () => {
  const seen: string[] = [];
  const closeables = createCloseables();
  closeables.add('first', () => void seen.push('first'));
  closeables.add('second', async () => {
    await Promise.resolve();
    seen.push('second');
  });
  await Promise.all([closeables.close(), closeables.close()]);
  expect(seen).toEqual(['second', 'first']);
});

test('one that fails does not keep the others open, and all failures are told', async () => {
  const seen: string[] = [];
  const closeables = createCloseables();
  closeables.add('log', () => void seen.push('log'));
  closeables.add('pool', () => Promise.reject(new Error('no')));
  closeables.add('door', () => {
    throw new Error('stuck');
  });
  await expect(closeables.close()).rejects.toThrow('closing door failed; closing pool failed');
  expect(seen).toEqual(['log']);
});

test('wiring that fails half-way closes what it made and throws its own error', async () => {
  const seen: string[] = [];
  const closeables = createCloseables();
  const wiring = unwindOnFailure(closeables, async () => {
    closeables.add('engine', () => void seen.push('engine'));
    closeables.add('pool', () => Promise.reject(new Error('pool')));
    await Promise.reject(new Error('the port is taken'));
  });
  await expect(wiring).rejects.toThrow('the port is taken');
  expect(seen).toEqual(['engine']);
});

test('nothing can be added once closing began', async () => {
  const closeables = createCloseables();
  await closeables.close();
  expect(() => {
    closeables.add('late', () => undefined);
  }).toThrow('late was opened after closing began');
});
