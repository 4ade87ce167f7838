import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import { EventEmitter } from 'node:events';
import pino from 'pino';
import { runUntilSignal, watchForEnd, type Shutdown } from './shutdown.js';

class FakeHost extends EventEmitter {
  readonly exits: number[] = [];
  exit(code: number): void {
    this.exits.push(code);
  }
}

const log = pino({ enabled: false });
let host: FakeHost;
let now_ms = 0;

beforeEach(() => {
  host = new FakeHost();
  now_ms = 0;
  jest.spyOn(performance, 'now').mockImplementation(() => now_ms);
});

afterEach(() => {
  jest.restoreAllMocks();
});

function shutdownOf(seen: string[], overrides: Partial<Shutdown> = {}): Shutdown {
  return {
    watch: watchForEnd(host, log),
    log,
    drain: async () => void seen.push('drain'),
    stop: async () => void seen.push('stop'),
    drain_ms: 10_000,
    ...overrides,
  };
}

test('the first signal drains, then stops, then ends with 0', async () => {
  const seen: string[] = [];
  const code = runUntilSignal(shutdownOf(seen));
  host.emit('SIGTERM', 'SIGTERM');
  expect(await code).toBe(0);
  expect(seen).toEqual(['drain', 'stop']);
});

test('a signal from before is not forgotten', async () => {
  const shutdown = shutdownOf([]);
  host.emit('SIGINT', 'SIGINT');
  expect(await runUntilSignal(shutdown)).toBe(0);
});

test('calls that do not end are cut off after the limit', async () => {
  const seen: string[] = [];
  const code = runUntilSignal(shutdownOf(seen, { drain: () => new Promise(() => undefined), drain_ms: 1 }));
  host.emit('SIGINT', 'SIGINT');
  expect(await code).toBe(0);
  expect(seen).toEqual(['stop']);
});

test('npm passes the same Ctrl-C on: only a later one ends at once, with 130', () => {
  const seen: string[] = [];
  watchForEnd(host, log).onAbandon(() => void seen.push('abandoned'));
  host.emit('SIGINT', 'SIGINT');
  now_ms = 20;
  host.emit('SIGINT', 'SIGINT');
  expect(host.exits).toEqual([]);
  now_ms = 2000;
  host.emit('SIGINT', 'SIGINT');
  expect(host.exits).toEqual([130]);
  expect(seen).toEqual(['abandoned']);
});

test.each(['unhandledRejection', 'uncaughtException'])('%s ends with 1', (event) => {
  watchForEnd(host, log);
  host.emit(event, new Error('nobody caught me'));
  expect(host.exits).toEqual([1]);
});

test('the death of an engine stops the rest and ends with 1', async () => {
  const seen: string[] = [];
  expect(await runUntilSignal(shutdownOf(seen, { failed: Promise.resolve(new Error('gone')) }))).toBe(1);
  expect(seen).toEqual(['drain', 'stop']);
});

test('a failure to stop ends with 1', async () => {
  const code = runUntilSignal(shutdownOf([], { stop: () => Promise.reject(new Error('stuck')) }));
  host.emit('SIGINT', 'SIGINT');
  expect(await code).toBe(1);
});

test('dispose leaves the signals to the system', () => {
  watchForEnd(host, log).dispose();
  expect(host.eventNames()).toEqual([]);
});
