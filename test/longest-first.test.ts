import { expect, test } from '@jest/globals';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const MODULE = './longest-first.mjs';
const { LONGEST } = (await import(MODULE)) as { readonly LONGEST: readonly string[] };

test('the test files that begin first are there', () => {
  const missing = LONGEST.filter(
    (file) => !existsSync(fileURLToPath(new URL(`../${file}`, import.meta.url))),
  );
  expect(missing).toEqual([]);
  expect(new Set(LONGEST).size).toBe(LONGEST.length);
});
