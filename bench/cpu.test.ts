import { expect, test } from '@jest/globals';
import { cpuPer, cpuTimes } from './cpu.js';
import { calibrate } from './calibration.js';

test('what was spent between two readings is told per unit of work', () => {
  const before = { main: 100, others: 10, postgres: 1 };
  const after = { main: 300, others: 30, postgres: 5 };
  expect(cpuPer(before, after, 4)).toEqual({ main: 50, others: 5, postgres: 1 });
});

test('without the files of a running PostgreSQL there are no times', () => {
  expect(cpuTimes(process.pid, '/nowhere')).toBeUndefined();
});

test('the calibration spends CPU time', () => {
  expect(calibrate()).toBeGreaterThan(0);
});
