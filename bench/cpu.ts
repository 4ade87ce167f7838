/** The CPU time of the server's threads and of its PostgreSQL, from /proc; nothing where the system has none. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { childrenOfAll, cpuOf_us, statOf, threadCpuOf_us, threadsOf } from '../lib/process/proc.js';

/** CPU microseconds since the start of each. */
export interface CpuTimes {
  /** The thread that answers calls and decides. */
  readonly main: number;
  /** All other threads of the process: a projector's, garbage collection, compilation, hashing, sockets. */
  readonly others: number;
  /** All processes of PostgreSQL, also those that ended. */
  readonly postgres: number;
}

/** @param dataDirectory of the PostgreSQL server */
export function cpuTimes(pid: number, dataDirectory: string): CpuTimes | undefined {
  try {
    const main = threadCpuOf_us(pid, pid);
    const others = threadsOf(pid).filter((thread) => thread !== pid);
    return {
      main,
      others: sum(others.map((thread) => threadCpuOf_us(pid, thread))),
      postgres: ofPostgres(dataDirectory),
    };
  } catch {
    return undefined;
  }
}

/** What was spent between two readings, per unit of work. */
export function cpuPer(before: CpuTimes, after: CpuTimes, units: number): CpuTimes {
  return {
    main: (after.main - before.main) / units,
    others: (after.others - before.others) / units,
    postgres: (after.postgres - before.postgres) / units,
  };
}

function ofPostgres(dataDirectory: string): number {
  const postmaster = Number(readFileSync(join(dataDirectory, 'postmaster.pid'), 'utf8').split('\n')[0]);
  const ended_us = statOf(postmaster)?.endedChildrenCpu_us ?? Number.NaN;
  const children = childrenOfAll().get(postmaster) ?? [];
  return ended_us + cpuOf_us(postmaster) + sum(children.map(cpuOf_us));
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
