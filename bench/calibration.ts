/**
 * A fixed piece of JavaScript, timed in CPU while a workload runs: machines that others share give the same code more or
 * less of a processor from hour to hour. Compare only figures whose calibrations are alike.
 */
import { createHash } from 'node:crypto';
import { median } from './report/statistics.js';

const ROUNDS = 400;
const EVERY_MS = 400;

/** Some objects, texts, bigints and hashes: what the server does for a living. */
function work(): number {
  let sum = 0n;
  let characters = 0;
  for (let round = 0; round < ROUNDS; round += 1) {
    const parts = new Map<string, bigint>();
    for (let part = 0; part < 16; part += 1) parts.set(`account-${String(part)}`, BigInt(round * part));
    for (const [name, value] of parts) {
      sum += value;
      characters += name.length;
    }
    const hash = createHash('sha256').update(String(sum)).digest();
    characters += hash[0] ?? 0;
  }
  return characters + Number(sum % 7n);
}

/** CPU microseconds of the fixed work, once. */
export function calibrate(): number {
  const before = process.cpuUsage();
  const result = work();
  const { user, system } = process.cpuUsage(before);
  if (!Number.isFinite(result)) throw new Error('the calibration computes a number');
  return user + system;
}

/** Runs the fixed work now and then, some hundredths of one processor, until it is stopped. */
export class Calibration {
  readonly #timer: NodeJS.Timeout;
  readonly #found_us: number[] = [];

  constructor() {
    // The first rounds are not compiled yet.
    for (let round = 0; round < 5; round += 1) calibrate();
    this.#timer = setInterval(() => {
      this.#found_us.push(calibrate());
    }, EVERY_MS);
  }

  /** @returns the median in CPU microseconds */
  stop(): number {
    clearInterval(this.#timer);
    return this.#found_us.length === 0 ? calibrate() : median(this.#found_us);
  }
}
