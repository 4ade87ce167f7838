import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { until } from '../../test/until.js';
import { askStack, openControl } from './control.js';
import type { RunningEngine } from './engines/engine.js';
import { readOptions } from './options.js';
import { MOST_RESTARTS, Supervisor, type SupervisorOptions } from './supervisor.js';

/** No process has such a number. */
const FIRST_PID = 1_000_000_000;

/** A part of a stack that ends when the test says so. */
class Part implements RunningEngine {
  readonly url = 'nowhere:1';
  pid = FIRST_PID;
  died: Promise<Error>;
  stops = 0;
  #end: (error: Error) => void = () => undefined;

  constructor(readonly name: string) {
    this.died = this.#life();
  }

  end(): void {
    this.#end(new Error(`${this.name} has ended`));
  }

  begin(): void {
    this.pid += 1;
    this.died = this.#life();
  }

  stop(): Promise<void> {
    this.stops += 1;
    return Promise.resolve();
  }

  kill(): Promise<void> {
    return Promise.resolve();
  }

  #life(): Promise<Error> {
    return new Promise((resolve) => {
      this.#end = resolve;
    });
  }
}

let parts: readonly [Part, Part];
let lines: string[];
let waits_ms: number[];
let supervisor: Supervisor;

function supervise(overrides: Partial<SupervisorOptions> = {}): Supervisor {
  parts = [new Part('kafka'), new Part('command')];
  lines = [];
  waits_ms = [];
  supervisor = new Supervisor({
    parts,
    restart: (part) => {
      if (part instanceof Part) part.begin();
      return Promise.resolve();
    },
    lose: () => Promise.reject(new Error('it keeps no data')),
    isRestarting: true,
    log: (line) => lines.push(line),
    wait: (duration_ms) => {
      waits_ms.push(duration_ms);
      return Promise.resolve();
    },
    ...overrides,
  });
  return supervisor;
}

const stateOf = (name: string) => supervisor.list().find((each) => each.name === name);

test('what has ended is started again, and watched again', async () => {
  supervise();
  for (const times of [1, 2]) {
    parts[0].end();
    await until(() => stateOf('kafka')?.restarts === times);
  }
  expect(stateOf('kafka')).toMatchObject({ state: 'running', pid: FIRST_PID + 2 });
  expect(stateOf('command')).toMatchObject({ state: 'running', restarts: 0 });
  expect(waits_ms).toEqual([500, 1_000]);
  expect(lines).toContain('kafka is started again in 0.5 s (1 of 10)');
  expect(lines).toContain(`kafka runs again (process ${String(FIRST_PID + 1)})`);
});

test('what does not start is tried after longer and longer waits, and given up in the end', async () => {
  supervise({ restart: () => Promise.reject(new Error('the port is in use')) });
  parts[0].end();
  expect((await supervisor.failed).message).toBe('kafka did not stay up 10 times in a row');
  expect(waits_ms).toHaveLength(MOST_RESTARTS);
  expect(waits_ms.slice(0, 8)).toEqual([500, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000]);
  expect(lines).toContain('kafka does not start: the port is in use');
});

test('without restarts the end of one is the end of all', async () => {
  supervise({ isRestarting: false });
  parts[1].end();
  expect((await supervisor.failed).message).toBe('command has ended');
  expect(waits_ms).toEqual([]);
});

test('what is stopped on request stays away until it is started', async () => {
  supervise();
  expect(await supervisor.do('stop', 'kafka')).toContain('--start kafka brings it back');
  expect(parts[0].stops).toBe(1);
  expect(stateOf('kafka')?.state).toBe('stopped');
  await expect(supervisor.do('stop', 'kafka')).rejects.toThrow('kafka is stopped');
  await supervisor.do('start', 'kafka');
  expect(stateOf('kafka')).toMatchObject({ state: 'running', restarts: 0 });
  await expect(supervisor.do('start', 'kafka')).rejects.toThrow('kafka is running');
});

test('a kill on request ends nothing else, also where nothing is started again', async () => {
  supervise({ isRestarting: false });
  expect(await supervisor.do('kill', 'kafka')).toContain('--start kafka brings it back');
  parts[0].end();
  await until(() => stateOf('kafka')?.state === 'stopped');
  await supervisor.do('start', 'kafka');
  expect(stateOf('kafka')?.state).toBe('running');
});

test('after the end nothing is started again', async () => {
  supervise();
  await supervisor.close();
  parts[0].end();
  await parts[0].died;
  expect(waits_ms).toEqual([]);
});

test('a name that there is not is answered with those that there are', async () => {
  supervise();
  await expect(supervisor.do('kill', 'nats')).rejects.toThrow('there is no nats; there are kafka, command');
});

let directory: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'quittance-control-'));
});

afterEach(async () => {
  await supervisor.close();
  rmSync(directory, { recursive: true });
});

test.each(['a', 'long'.repeat(40)])(
  'a stack that runs is asked over a socket, in any directory (%#)',
  async (name) => {
    const place = join(directory, name);
    mkdirSync(place);
    await expect(askStack(place, { action: 'list' })).rejects.toThrow('no stack runs in');
    const control = await openControl(place, supervise());
    const listed = await askStack(place, { action: 'list' });
    expect(listed.split('\n')).toEqual([
      expect.stringMatching(/^kafka +running +process 1000000000 +nowhere:1$/),
      expect.stringMatching(/^command +running/),
    ]);
    expect(await askStack(place, { action: 'stop', name: 'kafka' })).toContain('kafka is stopped');
    expect(await askStack(place, { action: 'list' })).toMatch(/^kafka +stopped/);
    await expect(askStack(place, { action: 'lose', name: 'command' })).rejects.toThrow('it keeps no data');
    await control.close();
    await expect(askStack(place, { action: 'list' })).rejects.toThrow('no stack runs in');
  },
);

test('the options name one thing that is to be done', () => {
  const asked = (...args: string[]) => readOptions(args, { stdout: { write: () => true } })?.request;
  expect(asked('--kill', 'command-2')).toEqual({ action: 'kill', name: 'command-2' });
  expect(asked('--list')).toEqual({ action: 'list' });
  expect(asked('--restart')).toBeUndefined();
  expect(() => asked('--kill', 'command', '--stop', 'query')).toThrow('one thing at a time');
});
