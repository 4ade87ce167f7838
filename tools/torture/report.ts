/** The report of a torture run: a table of faults, and the verdict. */
import type { Finding, Verdict } from './audit.js';
import type { Notes } from './callers.js';
import type { Injected } from './faults.js';

export interface Outcome {
  readonly verdict: Verdict;
  readonly notes: Pick<Notes, 'answered_ms' | 'readsWithout'>;
  readonly injected: readonly Injected[];
  /** After the last command, until no view was behind. */
  readonly whole_ms: number;
}

/** How long after a fault its interruption may show. */
const AFTER_MS = 2_000;

export function reportOf({ verdict, notes, injected, whole_ms }: Outcome): string {
  const names = [...new Set(injected.map(({ name }) => name))].toSorted();
  const blamed = verdict.findings.map((finding) => ({ finding, fault: faultOf(finding, injected) }));
  const rows = names.map((name) => {
    const times = injected.filter((one) => one.name === name);
    const found = blamed.filter(({ fault }) => fault?.name === name).map(({ finding }) => finding);
    return rowOf(name, times, found, notes.answered_ms);
  });
  const { acknowledged, refused, resolved, open, reads, events, findings } = verdict;
  return [
    '',
    '| hazard | times | acknowledged meanwhile | lost | doubled | longest interruption of commands | until the views were whole |',
    '|---|---|---|---|---|---|---|',
    ...rows,
    '',
    `${count(injected.length)} faults; ${count(acknowledged)} commands acknowledged, ${count(refused)} refused; ${count(resolved)} were left open at first and told by a resend, ${count(open)} never.`,
    `${count(reads)} reads compared with the log, ${count(notes.readsWithout)} had no answer in time; ${count(events)} events.`,
    `Every view was whole ${seconds(whole_ms)} after the last command.`,
    findings.length === 0 ? 'No finding.' : `${count(findings.length)} FINDINGS:`,
    ...findings.slice(0, 50).map(({ kind, text }) => `${kind}: ${text}`),
    `torture: ${String(acknowledged + refused + open + reads)} passed, ${String(findings.length)} failed`,
  ].join('\n');
}

function rowOf(
  name: string,
  times: readonly Injected[],
  found: readonly Finding[],
  answered_ms: readonly number[],
): string {
  const cells = [
    name,
    count(times.length),
    count(times.reduce((sum, one) => sum + answersDuring(answered_ms, one), 0)),
    count(found.filter(({ kind }) => kind === 'lost').length),
    count(found.filter(({ kind }) => kind === 'doubled').length),
    seconds(Math.max(...times.map((one) => interruption_ms(answered_ms, one)))),
    wholeAfter(times),
  ];
  return `| ${cells.join(' | ')} |`;
}

function wholeAfter(times: readonly Injected[]): string {
  const known_ms = times.flatMap(({ whole_ms }) => whole_ms ?? []);
  const longest = known_ms.length === 0 ? '' : seconds(Math.max(...known_ms));
  return known_ms.length === times.length ? longest : 'not seen';
}

/** The fault during or after which a command was answered that was lost or doubled. */
export function faultOf({ at_ms }: Finding, injected: readonly Injected[]): Injected | undefined {
  if (at_ms === undefined) return undefined;
  return injected.find(({ ended_ms }) => at_ms <= ended_ms) ?? injected.at(-1);
}

function answersDuring(answered_ms: readonly number[], { began_ms, ended_ms }: Injected): number {
  return answered_ms.filter((at_ms) => at_ms >= began_ms && at_ms <= ended_ms + AFTER_MS).length;
}

type Times = Pick<Injected, 'began_ms' | 'ended_ms'>;

/** The longest time without an answer to a command that touches the time of a fault. */
export function interruption_ms(answered_ms: readonly number[], { began_ms, ended_ms }: Times): number {
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
