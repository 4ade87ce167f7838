import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isOurDataDir, openDataDir, ownerOf } from './data-dir.js';
import { currentProcess, identify } from './engines/process-table.js';

let base: string;
let path: string;

beforeEach(() => {
  base = mkdtempSync(join(tmpdir(), 'quittance-dir-'));
  path = join(base, 'data');
});

afterEach(() => {
  rmSync(base, { recursive: true, force: true });
});

test('a new directory is closed to others, marked as ours, and free again after release', () => {
  const dataDir = openDataDir(path);
  expect(statSync(path).mode & 0o777).toBe(0o700);
  expect(isOurDataDir(path)).toBe(true);
  expect(existsSync(dataDir.logPath)).toBe(true);
  expect(ownerOf(path)?.pid).toBe(process.pid);
  dataDir.release();
  dataDir.release();
  expect(ownerOf(path)).toBeUndefined();
  openDataDir(path).release();
  expect(readdirSync(path).sort()).toEqual(['log', 'quittance.json']);
});

test('a living owner is named', () => {
  openDataDir(path);
  expect(() => openDataDir(path)).toThrow(
    `data directory ${path} is in use by process ${String(process.pid)}; stop that process or set QUITTANCE_DATA_DIR`,
  );
});

test('the lock of a killed process is taken over', async () => {
  openDataDir(path).release();
  const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)']);
  await once(child, 'spawn');
  writeFileSync(join(path, 'lock'), JSON.stringify(identify(child.pid ?? 0)));
  expect(() => openDataDir(path)).toThrow('is in use');
  child.kill('SIGKILL');
  await once(child, 'exit');
  openDataDir(path).release();
});

test('a lock whose number is now another process is taken over', () => {
  openDataDir(path).release();
  writeFileSync(join(path, 'lock'), JSON.stringify({ ...currentProcess(), started: 'before the last boot' }));
  openDataDir(path).release();
});

test.each(['', 'nonsense', '{"pid":"1"}'])('a lock that says %j is taken over', (text) => {
  openDataDir(path).release();
  writeFileSync(join(path, 'lock'), text);
  openDataDir(path).release();
});

test('a directory with files of others is left alone', () => {
  writeFileSync(join(base, 'thesis.txt'), 'mine');
  expect(() => openDataDir(base)).toThrow('not Quittance');
  expect(readdirSync(base)).toEqual(['thesis.txt']);
  expect(isOurDataDir(base)).toBe(false);
});

test('a file in the place of the directory is named', () => {
  writeFileSync(path, '');
  expect(() => openDataDir(path)).toThrow('is not a directory');
});
