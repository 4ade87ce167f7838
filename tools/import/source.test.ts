import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { execFileSync } from 'node:child_process';
import { appendFileSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { openSource, type Source } from './source.js';

let directory: string;

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'quittance-source-'));
});

afterAll(() => {
  rmSync(directory, { recursive: true });
});

async function textOf(source: Source): Promise<string> {
  let text = '';
  for await (const chunk of source.read() as AsyncIterable<Buffer>) text += chunk.toString();
  return text;
}

function spools(): string[] {
  return readdirSync(tmpdir()).filter((name) => name.startsWith('quittance-import-'));
}

test('what comes from the standard input can be read twice, and leaves nothing behind', async () => {
  const before = spools();
  const source = await openSource('-', Readable.from([Buffer.from('one\n'), Buffer.from('two\n')]));
  expect(source.size_bytes).toBe(8);
  expect([await textOf(source), await textOf(source)]).toEqual(['one\ntwo\n', 'one\ntwo\n']);
  await source.close();
  expect(spools()).toEqual(before);
});

test('a named pipe can be read twice', async () => {
  const pipe = join(directory, 'pipe');
  execFileSync('mkfifo', [pipe]);
  const [source] = await Promise.all([openSource(pipe, Readable.from([])), writeFile(pipe, 'one\ntwo\n')]);
  expect([await textOf(source), await textOf(source)]).toEqual(['one\ntwo\n', 'one\ntwo\n']);
  await source.close();
});

test('a pipe that breaks is an error, and leaves nothing behind', async () => {
  const before = spools();
  const broken = Readable.from(
    (async function* () {
      yield Buffer.from('one\n');
      throw new Error('the pipe broke');
    })(),
  );
  await expect(openSource('-', broken)).rejects.toThrow('the pipe broke');
  expect(spools()).toEqual(before);
});

test('a file that is written to while it is read is noticed', async () => {
  const file = join(directory, 'file');
  writeFileSync(file, 'one\n');
  const source = await openSource(file, Readable.from([]));
  expect(await source.isChanged()).toBe(false);
  appendFileSync(file, 'two\n');
  expect(await source.isChanged()).toBe(true);
  await source.close();
});

test('a directory is refused in a sentence, a file that is not there by its code', async () => {
  await expect(openSource(directory, Readable.from([]))).rejects.toThrow('is a directory; name a file');
  await expect(openSource(join(directory, 'nowhere'), Readable.from([]))).rejects.toThrow(
    'nowhere cannot be read (ENOENT)',
  );
});
