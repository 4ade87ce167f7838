/** The CPU time of the server's threads and of its PostgreSQL, from /proc; nothing where the system has none. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

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
    const threads = readdirSync(`/proc/${String(pid)}/task`);
    const spent = threads.map((thread) => ({ thread, spent: onCpu(`/proc/${String(pid)}/task/${thread}`) }));
    const main = spent.find(({ thread }) => thread === String(pid))?.spent ?? 0;
    const all = spent.reduce((sum, item) => sum + item.spent, 0);
    return { main, others: all - main, postgres: ofPostgres(dataDirectory) };
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
  const postmaster = readFileSync(join(dataDirectory, 'postmaster.pid'), 'utf8').split('\n')[0] ?? '';
  let spent = ended(postmaster) + onCpu(`/proc/${postmaster}`);
  for (const pid of readdirSync('/proc')) {
    if (!/^\d+$/.test(pid) || fieldsOf(pid)?.[1] !== postmaster) continue;
    spent += onCpu(`/proc/${pid}`);
  }
  return spent;
}

/** A process may end between being listed and being read. */
function onCpu(path: string): number {
  try {
    return Number(readFileSync(`${path}/schedstat`, 'utf8').split(' ')[0]) / 1000;
  } catch {
    return 0;
  }
}

/** Of the children of a process that ended: clock ticks of 10 ms. */
function ended(pid: string): number {
  const fields = fieldsOf(pid);
  return (Number(fields?.[13]) + Number(fields?.[14])) * 10_000;
}

/** /proc/PID/stat after the name, which may hold spaces: state, parent, … */
function fieldsOf(pid: string): readonly string[] | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  } catch {
    return undefined;
  }
}
