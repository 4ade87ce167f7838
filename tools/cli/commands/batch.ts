/** `quittance batch run`: many commands from a file. */
import { readFileSync } from 'node:fs';
import {
  BatchMode,
  TransactionCommandService,
} from '../../../gen/quittance/command/v1/transaction_command_service_pb.js';
import { currencyExponent } from '../../../lib/base/currency.js';
import { StartError } from '../../../lib/base/start-error.js';
import { UsageError } from '../../../lib/process/command-line.js';
import { exponentsOf } from '../amounts.js';
import { commandsOfCsv, commandsOfNdjson, type FilledCommand } from '../batch-file.js';
import { DECLINED, DONE, FAILED } from '../exit-codes.js';
import { choice, one, toggle } from '../flags.js';
import { say } from '../io.js';
import { printList } from '../printer.js';
import type { Session } from '../session.js';
import { CALL_FLAGS, COMMAND_FLAGS, LEDGER_FLAGS } from '../shared-flags.js';
import { BATCH_RESULTS, type BatchRow, outcomeOf } from '../sheets/batch-results.js';
import { type Noun, verb } from '../verb.js';
import { previewOf } from './preview.js';

/** What a call takes at most, and what is sent in one where nothing binds the commands together. */
const ATOMIC_MAX = 1_000;
const PER_CALL = 500;

const run = verb({
  name: 'run',
  summary: 'send the commands of a file: payments from CSV, any commands from NDJSON',
  positionals: { file: one('the file; - is the standard input') },
  flags: {
    atomic: toggle('all of them or none (at most 1,000)'),
    format: choice('form', 'of the file (default: by its name)', { csv: 'csv', ndjson: 'ndjson' } as const),
    ...COMMAND_FLAGS,
    ...LEDGER_FLAGS,
    ...CALL_FLAGS,
  },
  examples: [
    ['quittance batch run payroll.csv --atomic --dry-run', 'whether each could be paid now'],
    ['quittance batch run payroll.csv --atomic --request-id 0198…', 'all or none; sent again it replays'],
  ],
  notes: [
    'CSV has a heading with some of kind (payment, authorization, deposit, withdrawal), payer, payee, account, amount, currency, reference, description, request_id. ' +
      'NDJSON has a quittance.command.v1.Command per line.',
    'Ids that the file lacks are made of --request-id and the line: the same file under the same id replays, however far it came before. ' +
      'A dry run judges each command alone, against the books of now.',
  ],
  run: async (session, { args: { file }, flags: { atomic = false, format } }) => {
    const text = await textOf(session, file);
    const isCsv = (format ?? formOf(file)) === 'csv';
    const { ledger: ledgerId, requestId: batchId } = session;
    const exponentOf = isCsv ? await exponentsOf(session) : currencyExponent;
    const commands = (isCsv ? commandsOfCsv : commandsOfNdjson)(text, { ledgerId, batchId, exponentOf });
    if (commands.length === 0) throw new UsageError(`${file} holds no command`);
    if (atomic && commands.length > ATOMIC_MAX)
      throw new UsageError(
        `${String(commands.length)} commands are too many for --atomic, which takes ${String(ATOMIC_MAX)}`,
      );
    const seen = { declined: 0, failed: 0 };
    const rows = session.isDryRun ? previews(session, commands) : results(session, commands, atomic);
    await printList(session.io, session.format, BATCH_RESULTS, counted(rows, seen));
    const { declined, failed } = seen;
    const dry = session.isDryRun ? 'dry run, nothing was stored: ' : '';
    say(
      session.io,
      `${dry}${String(commands.length)} commands, ${String(declined)} declined, ${String(failed)} errors`,
    );
    if (failed > 0) return FAILED;
    return declined > 0 ? DECLINED : DONE;
  },
});

async function* results(
  session: Session,
  commands: readonly FilledCommand[],
  atomic: boolean,
): AsyncGenerator<BatchRow> {
  const size = atomic ? ATOMIC_MAX : PER_CALL;
  const mode = atomic ? BatchMode.ATOMIC : BatchMode.INDEPENDENT;
  for (let start = 0; start < commands.length; start += size) {
    const chunk = commands.slice(start, start + size);
    const request = { ledgerId: session.ledger, mode, commands: chunk };
    const answer = await session.send(TransactionCommandService.method.executeBatch, request);
    for (const [offset, result] of answer.results.entries())
      yield { ...headOf(chunk[offset], start + offset), ...outcomeOf(result) };
  }
}

async function* previews(session: Session, commands: readonly FilledCommand[]): AsyncGenerator<BatchRow> {
  for (const [index, command] of commands.entries())
    yield { ...headOf(command, index), ...(await previewOf(session, command)) };
}

function headOf(command: FilledCommand | undefined, index: number) {
  const { case: name = '', value } = command?.command ?? {};
  return { index, command: name, requestId: value?.requestId ?? '' };
}

async function* counted(
  rows: AsyncIterable<BatchRow>,
  seen: { declined: number; failed: number },
): AsyncGenerator<BatchRow> {
  for await (const row of rows) {
    if (row.status === 'declined') seen.declined += 1;
    if (row.status === 'error') seen.failed += 1;
    yield row;
  }
}

function formOf(file: string): 'csv' | 'ndjson' {
  if (file.endsWith('.csv')) return 'csv';
  if (/\.(nd)?jsonl?$/.test(file)) return 'ndjson';
  throw new UsageError(`the name of ${file} does not tell its form; add --format csv or --format ndjson`);
}

async function textOf({ io }: Session, file: string): Promise<string> {
  if (file === '-') {
    let all = '';
    for await (const chunk of io.stdin.setEncoding('utf8')) all += String(chunk);
    return all;
  }
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new StartError(
      `${file} cannot be read (${error instanceof Error ? error.message : String(error)})`,
    );
  }
}

export const BATCH: Noun = {
  name: 'batch',
  plural: 'batches',
  summary: 'many commands from a file',
  verbs: [run],
};
