import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { expect, test } from '@jest/globals';
import { until } from '../../test/until.js';
import { bootId, childrenOfAll, cpuOf_us, hasEnded, statOf, threadCpuOf_us, threadsOf } from './proc.js';

/** No process has it: Linux gives numbers up to 2^22. */
const NOBODY = 2 ** 30;

test('a process runs, has its parent and its threads, and spends time', () => {
  const { pid, ppid } = process;
  expect(statOf(pid)).toMatchObject({ parent: ppid, startedTicks: expect.stringMatching(/^\d+$/) });
  expect(hasEnded(pid)).toBe(false);
  expect(threadsOf(pid)).toContain(pid);
  expect(cpuOf_us(pid)).toBeGreaterThan(0);
  expect(threadCpuOf_us(pid, pid)).toBeGreaterThanOrEqual(0);
  expect(bootId()).toMatch(/^[0-9a-f-]{36}$/);
});

test('a process that has ended and was not collected is not taken for one that runs', async () => {
  // The shell becomes a program that collects no children: what ends after that stays a zombie. A name may hold anything.
  const child = 'until read -r name < /proc/$PPID/comm && [ "$name" = sleep ]; do :; done';
  const script = `sh -c '${child}' & echo $!; exec sleep 1000`;
  const parent = spawn('sh', ['-c', script], { stdio: ['ignore', 'pipe', 'inherit'], argv0: ') Z 1 (' });
  try {
    const [line] = (await once(createInterface({ input: parent.stdout }), 'line')) as [string];
    const zombie = Number(line);
    await until(() => hasEnded(zombie));
    expect(statOf(zombie)).toMatchObject({ state: 'Z', parent: parent.pid });
    expect(hasEnded(parent.pid ?? 0)).toBe(false);
    expect(childrenOfAll().get(parent.pid ?? 0)).toEqual([zombie]);
    expect(childrenOfAll().get(process.pid)).toContain(parent.pid);
  } finally {
    const gone = once(parent, 'exit');
    parent.kill('SIGKILL');
    await gone;
  }
});

test('of a number that no process has nothing is known', () => {
  expect(statOf(NOBODY)).toBeUndefined();
  expect(hasEnded(NOBODY)).toBe(true);
  expect(cpuOf_us(NOBODY)).toBe(0);
});
