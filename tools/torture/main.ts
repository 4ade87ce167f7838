/** `npm run torture`: loads a platform, hurts it, and holds what the callers saw against what is left. */
import { writeFileSync } from 'node:fs';
import { InvalidArgumentError, Option } from '@commander-js/extra-typings';
import { commandLine, readCommandLine, runCommand } from '../../lib/process/command-line.js';
import { audit, type Verdict } from './audit.js';
import { accountIds, emptyNotes, type Notes, openLedger, runCaller } from './callers.js';
import { startEmbedded } from './embedded-subject.js';
import { injectFaults, type Injected } from './faults.js';
import { prove, readBalances, readLog, untilWhole } from './final-state.js';
import type { History } from './history.js';
import { seeded } from './random.js';
import { reportOf } from './report.js';
import { startStackSubject } from './stack-subject.js';
import type { Subject } from './subject.js';

const ACCOUNTS = 24;
const CALLERS = 24;

const TORTURE = commandLine({
  name: 'npm run torture --',
  summary:
    'Starts a platform of its own, loads it, kills and stops its processes meanwhile, and audits at the end: every acknowledged ' +
    'command once, every other at most once, sums of zero, every view equal to the log, no read older than its token.',
  examples: [
    ['npm run torture -- --minutes 5', 'the embedded platform for five minutes'],
    [
      'npm run torture -- --subject stack --minutes 10 --seed 7',
      'the distributed one, with the faults of this seed',
    ],
  ],
  notes: [
    'The seed repeats what is chosen, not how processes interleave. A finding ends the run with exit code 1.',
  ],
})
  .addOption(
    new Option('--subject <name>', 'what is tortured')
      .choices(['embedded', 'stack'] as const)
      .default('embedded' as const),
  )
  .option('--minutes <number>', 'how long faults are injected', minutesOf, 1)
  .option('--seed <number>', 'chooses commands and faults', seedOf, 1)
  .option('--json <file>', 'write all that was recorded to a file');

function minutesOf(text: string): number {
  const minutes = Number(text);
  if (/^\d{1,4}(\.\d+)?$/.test(text) && minutes > 0) return minutes;
  throw new InvalidArgumentError('It is a number above 0.');
}

function seedOf(text: string): number {
  if (/^\d{1,9}$/.test(text)) return Number(text);
  throw new InvalidArgumentError('It is a whole number.');
}

const print = (line: string): void => void process.stdout.write(`${line}\n`);

async function main(): Promise<number> {
  const typed = readCommandLine(TORTURE, process.argv.slice(2), process);
  if (typed === undefined) return 0;
  const { subject: name, minutes, seed, json } = typed.options;
  print(`starting the ${name} platform…`);
  const subject = name === 'stack' ? await startStackSubject(print) : await startEmbedded();
  try {
    const { notes, injected, whole_ms } = await torture(subject, minutes * 60_000, seed);
    const log = await readLog(subject);
    const { commands, balanceReads, transactionReads } = notes;
    const balances = await readBalances(subject, log);
    const history: History = { commands, balanceReads, transactionReads, log, balances };
    const proof = await prove(subject);
    const verdict = audit(history);
    const all: Verdict = { ...verdict, findings: [...verdict.findings, ...proof] };
    print(reportOf({ verdict: all, notes, injected, whole_ms }));
    if (json !== undefined) writeFileSync(json, JSON.stringify({ history, injected }, asText));
    return all.findings.length === 0 ? 0 : 1;
  } finally {
    await subject.stop();
  }
}

/** Loads and hurts the subject for a while. @returns when everything runs again and every view is whole */
async function torture(
  subject: Subject,
  duration_ms: number,
  seed: number,
): Promise<{ readonly notes: Notes; readonly injected: readonly Injected[]; readonly whole_ms: number }> {
  const accounts = accountIds(ACCOUNTS);
  await openLedger(subject.commands[0] ?? '', accounts);
  const notes = emptyNotes();
  const load = new AbortController();
  const faults = new AbortController();
  const callers = Array.from({ length: CALLERS }, (_, index) =>
    runCaller({
      command: subject.commands[index % subject.commands.length] ?? '',
      query: subject.queries[index % subject.queries.length] ?? '',
      accounts,
      random: seeded(seed * 1_000 + index + 1),
      notes,
      signal: load.signal,
    }),
  );
  const timer = setTimeout(() => {
    faults.abort();
  }, duration_ms);
  try {
    const injected = await injectFaults(subject, seeded(seed), faults.signal, print);
    load.abort();
    await Promise.all(callers);
    const whole_ms = await untilWhole(subject);
    return { notes, injected, whole_ms };
  } finally {
    clearTimeout(timer);
    load.abort();
    await Promise.allSettled(callers);
  }
}

function asText(_key: string, value: unknown): unknown {
  if (typeof value === 'bigint') return String(value);
  return value instanceof Map ? Object.fromEntries(value as Map<string, unknown>) : value;
}

process.exit(await runCommand(process, main));
