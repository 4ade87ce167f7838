/** `npm run torture`: loads a platform, hurts it, and holds what the callers saw against what is left. */
import { writeFileSync } from 'node:fs';
import { InvalidArgumentError, Option } from '@commander-js/extra-typings';
import { commandLine, readCommandLine, runCommand } from '../../lib/process/command-line.js';
import { audit, type Finding, type Verdict } from './audit.js';
import { accountIds, emptyNotes, type Notes, openLedger, runCaller } from './callers.js';
import { startEmbedded } from './embedded-subject.js';
import { injectFaults, type Injected } from './faults.js';
import { prove, readBalances, readLog, untilAllHave, untilWhole } from './final-state.js';
import type { History } from './history.js';
import { seeded } from './random.js';
import { reportOf } from './report.js';
import { startStackSubject } from './stack-subject.js';
import type { Subject } from './subject.js';

const ACCOUNTS = 24;
const CALLERS = 24;
const INTERRUPTED_EXIT_CODE = 130;

const TORTURE = commandLine({
  name: 'npm run torture --',
  summary:
    'Starts a platform of its own, loads it, and meanwhile kills and stops its processes, hurts its network, its clocks and its disks. ' +
    'It audits at the end: every acknowledged command once, every other at most once, sums of zero, every view equal to the log, ' +
    'no read older than its token.',
  examples: [
    ['npm run torture -- --minutes 5', 'the embedded platform for five minutes'],
    [
      'npm run torture -- --subject stack --minutes 10 --seed 7',
      'the distributed one, with the faults of this seed',
    ],
    [
      'npm run torture -- --subject stack --only clock,disk',
      'only faults whose name holds one of these words',
    ],
  ],
  notes: [
    'The seed repeats what is chosen, not how processes interleave. A finding ends the run with exit code 1.',
    'Disks get full where this user may mount file systems, and clocks jump where libfaketime is or can be installed.',
  ],
})
  .addOption(
    new Option('--subject <name>', 'what is tortured')
      .choices(['embedded', 'stack'] as const)
      .default('embedded' as const),
  )
  .option('--minutes <number>', 'how long faults are injected', minutesOf, 1)
  .option('--seed <number>', 'chooses commands and faults', seedOf, 1)
  .addOption(
    new Option('--history <store>', 'where the history of the stack lies')
      .choices(['mongodb', 'postgres'] as const)
      .default('postgres' as const),
  )
  .option('--only <texts>', 'inject only faults whose name holds one of these texts, separated by commas', '')
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
  const { subject: name, minutes, seed, history: store, only, json } = typed.options;
  print(`starting the ${name} platform…`);
  const subject = name === 'stack' ? await startStackSubject(store, print) : await startEmbedded(print);
  const interrupt = () => {
    print('interrupted; stopping all of it');
    void subject.stop().finally(() => process.exit(INTERRUPTED_EXIT_CODE));
  };
  for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, interrupt);
  try {
    const { notes, injected, whole_ms } = await torture(subject, {
      duration_ms: minutes * 60_000,
      seed,
      only: only.split(','),
    });
    const log = await readLog(subject);
    const { commands, balanceReads, transactionReads } = notes;
    const balances = await readBalances(subject, log);
    const history: History = { commands, balanceReads, transactionReads, log, balances };
    const verdict = audit(history);
    const proof = (await prove(subject)).map((text): Finding => ({ kind: 'wrong', text, at_ms: undefined }));
    const all: Verdict = { ...verdict, findings: [...verdict.findings, ...proof] };
    print(reportOf({ verdict: all, notes, injected, whole_ms }));
    if (json !== undefined) writeFileSync(json, JSON.stringify({ history, injected }, asText));
    return all.findings.length === 0 ? 0 : 1;
  } finally {
    await subject.stop();
  }
}

interface Plan {
  readonly duration_ms: number;
  readonly seed: number;
  readonly only: readonly string[];
}

interface Tortured {
  readonly notes: Notes;
  readonly injected: readonly Injected[];
  readonly whole_ms: number;
}

/** Loads and hurts the subject for a while. @returns when everything runs again and every view is whole */
async function torture(subject: Subject, { duration_ms, seed, only }: Plan): Promise<Tortured> {
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
  const watching = new AbortController();
  const watches: Promise<void>[] = [];
  const onEnd = (fault: Injected) => {
    const watched = untilAllHave(subject, notes.highest, watching.signal).then((whole_ms) => {
      fault.whole_ms = whole_ms;
    });
    watches.push(watched);
  };
  const timer = setTimeout(() => {
    faults.abort();
  }, duration_ms);
  try {
    const random = seeded(seed);
    const injected = await injectFaults({ subject, random, signal: faults.signal, only, onEnd, log: print });
    load.abort();
    await Promise.all(callers);
    const whole_ms = await untilWhole(subject);
    await Promise.all(watches);
    return { notes, injected, whole_ms };
  } finally {
    clearTimeout(timer);
    load.abort();
    watching.abort();
    await Promise.allSettled([...callers, ...watches]);
  }
}

function asText(_key: string, value: unknown): unknown {
  if (typeof value === 'bigint') return String(value);
  return value instanceof Map ? Object.fromEntries(value as Map<string, unknown>) : value;
}

process.exit(await runCommand(process, main));
