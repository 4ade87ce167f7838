/** The report of a torture run: a table of faults, and the verdict. */
import type { Verdict } from './audit.js';
import type { Notes } from './callers.js';
import type { Injected } from './faults.js';

export interface Outcome {
  readonly verdict: Verdict;
  readonly notes: Notes;
  readonly injected: readonly Injected[];
  /** After the last command, until no view was behind. */
  readonly whole_ms: number;
}

/** How long after a fault its interruption may show. */
const AFTER_MS = 2_000;

export function reportOf({ verdict, notes, injected, whole_ms }: Outcome): string {
  const names = [...new Set(injected.map(({ name }) => name))].toSorted();
  const rows = names.map((name) => {
    const times = injected.filter((one) => one.name === name);
    const gaps_ms = times.map((one) => interruption_ms(notes.answered_ms, one));
    return `| ${name} | ${String(times.length)} | ${seconds(Math.max(...gaps_ms))} |`;
  });
  const { acknowledged, refused, resolved, open, reads, events, findings } = verdict;
  return [
    '',
    '| fault | times | longest interruption of commands |',
    '|---|---|---|',
    ...rows,
    '',
    `${count(acknowledged)} commands acknowledged, ${count(refused)} refused; ${count(resolved)} were left open at first and told by a resend, ${count(open)} never.`,
    `${count(reads)} reads compared with the log, ${count(notes.readsWithout)} had no answer in time; ${count(events)} events.`,
    `Every view was whole ${seconds(whole_ms)} after the last command.`,
    findings.length === 0 ? 'No finding.' : `${count(findings.length)} FINDINGS:`,
    ...findings.slice(0, 50),
    `torture: ${String(acknowledged + refused + open + reads)} passed, ${String(findings.length)} failed`,
  ].join('\n');
}

/** The longest time without an answer to a command that touches the time of a fault. */
export function interruption_ms(answered_ms: readonly number[], { began_ms, ended_ms }: Injected): number {
  let longest_ms = 0;
  let before_ms = began_ms;
  for (const at_ms of answered_ms) {
    if (at_ms < began_ms) continue;
    if (before_ms > ended_ms + AFTER_MS) break;
    longest_ms = Math.max(longest_ms, at_ms - before_ms);
    before_ms = at_ms;
  }
  return longest_ms;
}

function seconds(duration_ms: number): string {
  return `${(duration_ms / 1000).toFixed(1)} s`;
}

function count(value: number): string {
  return value.toLocaleString('en-US');
}
