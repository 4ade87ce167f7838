/** What a workload says: a figure, held against limits that were taken in the same run. */
import type { CpuTimes } from './cpu.js';

/** What a figure is held against. */
export interface Limit {
  readonly name: string;
  /** In the unit of the figure; undefined where it could not be measured. */
  readonly value: number | undefined;
  /** The ratio of figure to limit that is aimed for. */
  readonly aim: number | undefined;
}

/** One measured figure. */
export interface Figure {
  /** The same in each run, such as `p1.64`. */
  readonly id: string;
  /** For people. */
  readonly workload: string;
  readonly unit: '/s' | 'ms' | 'MB';
  readonly value: number;
  readonly latency_ms?: { readonly p50: number; readonly p99: number; readonly max: number };
  /** CPU microseconds per payment or read. */
  readonly cpu_us?: CpuTimes & { readonly client: number };
  /** CPU microseconds of the calibration that ran beside it. */
  readonly calibration_us?: number;
  readonly limits: readonly Limit[];
  /** What else a reader has to know of this figure. */
  readonly note?: string;
}

/** What is given for each build under test: figures of all repeats. */
export interface Run {
  /** Of the build: `this`, or the revision compared with. */
  readonly build: string;
  readonly repeat: number;
  readonly figures: readonly Figure[];
}
