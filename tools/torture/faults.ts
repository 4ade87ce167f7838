/** The faults of a torture run: chosen by the seed, one after the other, with a rest between them. */
import { pause } from '../../lib/base/pause.js';
import { below, oneOf, type Random } from './random.js';
import type { Subject, Victim } from './subject.js';

/** One fault that was injected. Times are of the run's clock. */
export interface Injected {
  readonly name: string;
  readonly began_ms: number;
  /** When all processes ran again. */
  readonly ended_ms: number;
}

interface Fault {
  readonly name: string;
  readonly inject: () => Promise<void>;
}

const STOP_LEAST_MS = 500;
const STOP_MOST_MS = 6_000;
const REST_LEAST_MS = 2_000;
const REST_MOST_MS = 5_000;
const DOWN_MOST_MS = 2_000;

/** Injects faults until the signal aborts. @returns what was injected; everything runs then */
export async function injectFaults(
  subject: Subject,
  random: Random,
  signal: AbortSignal,
  log: (line: string) => void,
): Promise<readonly Injected[]> {
  const injected: Injected[] = [];
  // Each kind comes once before any comes again.
  let bag: Fault[] = [];
  for (;;) {
    await pause(REST_LEAST_MS + below(random, REST_MOST_MS - REST_LEAST_MS), signal).catch(() => undefined);
    if (signal.aborted) return injected;
    if (bag.length === 0) bag = [...faultsOf(subject, random)];
    const [fault] = bag.splice(below(random, bag.length), 1);
    if (fault === undefined) continue;
    log(`injecting: ${fault.name}`);
    const began_ms = performance.now();
    await fault.inject();
    injected.push({ name: fault.name, began_ms, ended_ms: performance.now() });
  }
}

function faultsOf(subject: Subject, random: Random): readonly Fault[] {
  const { victims, faults } = subject;
  const downFor = () => pause(below(random, DOWN_MOST_MS));
  const killed = async (victim: Victim) => {
    await victim.kill();
    await downFor();
    await victim.restart();
  };
  const stopped = async (victim: Victim) => {
    const pids = victim.pids();
    signalAll(pids, 'SIGSTOP');
    await pause(STOP_LEAST_MS + below(random, STOP_MOST_MS - STOP_LEAST_MS));
    signalAll(pids, 'SIGCONT');
    // It may have ended because of what others did meanwhile.
    await victim.restart();
  };
  const rolled = async () => {
    for (const victim of victims.filter(({ isService }) => isService)) {
      await victim.end();
      await victim.restart();
    }
  };
  const pair = async () => {
    const first = oneOf(random, victims);
    const others = victims.filter((victim) => victim !== first);
    const second = others.length === 0 ? first : oneOf(random, others);
    await Promise.all([killed(first), second === first ? Promise.resolve() : stopped(second)]);
    await Promise.all([first.restart(), second.restart()]);
  };
  return [
    ...victims.map((victim) => ({ name: `kill -9 ${victim.name}`, inject: () => killed(victim) })),
    ...victims.map((victim) => ({ name: `SIGSTOP ${victim.name}`, inject: () => stopped(victim) })),
    { name: 'kill -9 one and SIGSTOP another', inject: pair },
    { name: 'rolling restart of the services', inject: rolled },
    ...Object.entries(faults).map(([name, inject]) => ({ name, inject })),
  ];
}

function signalAll(pids: readonly number[], signal: 'SIGSTOP' | 'SIGCONT'): void {
  for (const pid of pids) {
    try {
      process.kill(pid, signal);
    } catch {
      // It has ended.
    }
  }
}
