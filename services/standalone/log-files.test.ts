import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { rotate } from './log-files.js';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'quittance-log-'));
});
afterEach(() => {
  rmSync(directory, { recursive: true, force: true });
});

test('a log above the bound makes room, three old ones are kept, the newest is .1', () => {
  const path = join(directory, 'quittance.log');
  for (const text of ['run 1', 'run 2', 'run 3', 'run 4', 'run 5']) {
    writeFileSync(path, text);
    rotate(path, 4);
  }
  expect(readFileSync(path, 'utf8')).toBe('');
  expect([1, 2, 3].map((age) => readFileSync(`${path}.${String(age)}`, 'utf8'))).toEqual([
    'run 5',
    'run 4',
    'run 3',
  ]);
  expect(existsSync(`${path}.4`)).toBe(false);
});

test('a log within the bound is continued', () => {
  const path = join(directory, 'quittance.log');
  writeFileSync(path, 'line');
  rotate(path, 4);
  expect(readFileSync(path, 'utf8')).toBe('line');
});
