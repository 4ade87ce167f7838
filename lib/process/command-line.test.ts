import { expect, test } from '@jest/globals';
import { InvalidArgumentError } from '@commander-js/extra-typings';
import { commandLine, readCommandLine, runCommand, UsageError } from './command-line.js';
import { StartError } from '../base/start-error.js';

function capture() {
  const written = { out: '', err: '' };
  const output = {
    stdout: { write: (text: string) => (written.out += text) },
    stderr: { write: (text: string) => (written.err += text) },
  };
  return { written, output };
}

function count(value: string): number {
  if (/^\d+$/.test(value)) return Number(value);
  throw new InvalidArgumentError('It is a number.');
}

function tool() {
  return commandLine({
    name: 'npm run tool --',
    summary: 'Does something.',
    environment: { QUITTANCE_HOST: 'where' },
    examples: [['npm run tool -- --count 3', 'three times']],
    notes: ['See docs/tool.md.'],
  }).option('--count <number>', 'how often', count, 1);
}

test('--help prints usage, options, environment variables and examples on the standard output', () => {
  const { written, output } = capture();
  expect(readCommandLine(tool(), ['--help'], output)).toBeUndefined();
  expect(written.err).toBe('');
  for (const part of [
    'Usage: npm run tool -- [options]',
    'Does something.',
    '--count <number>  how often (default: 1)',
    'Environment variables:\n  QUITTANCE_HOST  where',
    'Examples:\n  npm run tool -- --count 3  three times',
    'See docs/tool.md.',
  ]) {
    expect(written.out).toContain(part);
  }
  expect(written.out.endsWith('\n')).toBe(true);
});

test('what was typed is read, with defaults for the rest', () => {
  expect(readCommandLine(tool(), ['--count', '3'], capture().output)?.options).toEqual({ count: 3 });
  expect(readCommandLine(tool(), [], capture().output)?.options).toEqual({ count: 1 });
});

test.each([
  [['--cuont', '3'], "unknown option '--cuont' (Did you mean --count?); npm run tool -- --help lists"],
  [['--count', 'x'], 'It is a number; npm run tool -- --help lists'],
  [['--count'], "option '--count <number>' argument missing; npm run tool -- --help lists"],
  [['more'], '"more" is one argument too many; npm run tool -- --help lists'],
])('%j is refused by a sentence', (args, sentence) => {
  const { written, output } = capture();
  const read = () => readCommandLine(tool(), args, output);
  expect(read).toThrow(UsageError);
  expect(read).toThrow(sentence);
  expect(written).toEqual({ out: '', err: '' });
});

test('an error that its reader can put right is one line; a defect shows its stack', async () => {
  const usage = capture();
  expect(await runCommand(usage.output, () => Promise.reject(new UsageError('say what')))).toBe(2);
  expect(usage.written.err).toBe('say what\n');
  const start = capture();
  expect(await runCommand(start.output, () => Promise.reject(new StartError('the port is in use')))).toBe(1);
  expect(start.written.err).toBe('the port is in use\n');
  const defect = capture();
  expect(await runCommand(defect.output, () => Promise.reject(new TypeError('oops')))).toBe(1);
  expect(defect.written.err).toContain('TypeError: oops\n    at ');
});
