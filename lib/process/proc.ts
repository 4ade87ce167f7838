/** What Linux says of processes in /proc. Other systems have none: there nothing is known of any process. */
import { readdirSync, readFileSync } from 'node:fs';

/** A process as it is now. */
export interface ProcessStat {
  /** One letter; Z and X have ended. */
  readonly state: string;
  /** The number of the process that started it, or of the one that it was handed to. */
  readonly parent: number;
  /** The CPU time of its children that have ended and were collected, in microseconds. */
  readonly endedChildrenCpu_us: number;
  /** When it was started, in clock ticks since the machine was. */
  readonly startedTicks: string;
}

/** Linux counts in /proc by these, on all machines that Node runs on. */
const TICK_US = 10_000;

/** Undefined if there is no process of that number. */
export function statOf(pid: number): ProcessStat | undefined {
  const stat = readOr(`/proc/${String(pid)}/stat`);
  // The name comes before, in parentheses, and may itself hold blanks and parentheses.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const [state, parent] = fields;
  const [userTicks, systemTicks, startedTicks] = [fields[13], fields[14], fields[19]];
  if (state === undefined || startedTicks === undefined) return undefined;
  return {
    state,
    parent: Number(parent),
    endedChildrenCpu_us: (Number(userTicks) + Number(systemTicks)) * TICK_US,
    startedTicks,
  };
}

/** Whether a process has ended, or there is none of that number: one that was not collected yet has ended. */
export function hasEnded(pid: number): boolean {
  return /^[ZX]/.test(statOf(pid)?.state ?? 'Z');
}

/** The children of each process that has any. */
export function childrenOfAll(): ReadonlyMap<number, readonly number[]> {
  const children = new Map<number, number[]>();
  for (const pid of numbersIn('/proc')) {
    const parent = statOf(pid)?.parent;
    if (parent === undefined) continue;
    const known = children.get(parent);
    if (known === undefined) children.set(parent, [pid]);
    else known.push(pid);
  }
  return children;
}

/** The threads of a process; the first has the number of the process. @throws Error where there is none of that number */
export function threadsOf(pid: number): readonly number[] {
  return numbersIn(`/proc/${String(pid)}/task`);
}

/** The CPU time of the main thread of a process, in microseconds; 0 if it has ended. */
export function cpuOf_us(pid: number): number {
  return schedstat_us(`/proc/${String(pid)}`);
}

/** The CPU time of a thread, in microseconds; 0 if it has ended. */
export function threadCpuOf_us(pid: number, thread: number): number {
  return schedstat_us(`/proc/${String(pid)}/task/${String(thread)}`);
}

/** Differs from one start of the machine to the next; empty where the system does not say. */
export function bootId(): string {
  return readOr('/proc/sys/kernel/random/boot_id').trim();
}

function schedstat_us(directory: string): number {
  return Number(readOr(`${directory}/schedstat`).split(' ')[0]) / 1_000;
}

function numbersIn(directory: string): readonly number[] {
  return readdirSync(directory)
    .filter((name) => /^\d+$/.test(name))
    .map(Number);
}

/** A process may end between being listed and being read. */
function readOr(path: string): string {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return '';
  }
}
