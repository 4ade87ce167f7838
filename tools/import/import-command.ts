/** The command `npm run import` from its arguments to its exit code. */
import type { Readable } from 'node:stream';
import { SingleBar } from 'cli-progress';
import { systemClock } from '../../lib/base/time.js';
import type { Environment } from '../../lib/base/environment.js';
import { StartError } from '../../lib/base/start-error.js';
import { type Output, UsageError } from '../../lib/process/command-line.js';
import { grpcClient } from '../client/grpc-client.js';
import { ChangedFileError } from './book.js';
import type { ImportListener } from './connection.js';
import { withFileAsset } from './file-asset.js';
import { importFile, type ImportSummary } from './import.js';
import { type ImportOptions, readOptions } from './options.js';
import { PreparationError } from './prepare.js';
import { BadFileError } from './problems.js';
import { exitCodeOf, reportLines } from './report.js';
import { SendError } from './send.js';
import { openSource } from './source.js';

/** Nothing was booked: the file, or what the ledger says of it, has to be seen to first. */
const EXIT_REFUSED = 2;
/** The import did not come to its end; the same command goes on where this one was stopped. */
const EXIT_INTERRUPTED = 3;

/** What the command takes from its process. */
export interface ImportProcess extends Output {
  readonly stderr: Output['stderr'] & { readonly isTTY?: boolean };
  readonly stdin: Readable;
  readonly env: Environment;
}

/** Runs it. @returns the exit code; the help lists them. */
export async function importCommand(args: readonly string[], io: ImportProcess): Promise<number> {
  try {
    const options = await readOptions(args, io.env, io);
    if (options === undefined) return 0;
    const started_ms = performance.now();
    const summary = await run(options, io);
    for (const line of reportLines(summary, performance.now() - started_ms)) io.stdout.write(`${line}\n`);
    return exitCodeOf(summary);
  } catch (error) {
    const { text, exitCode } = explained(error);
    io.stderr.write(`${text}\n`);
    return exitCode;
  }
}

async function run(options: ImportOptions, io: ImportProcess): Promise<ImportSummary> {
  const { ledgerId, address, access, patience_ms, dryRun, bookOpening } = options;
  const source = await openSource(options.file, io.stdin);
  const client = grpcClient(address, access);
  try {
    const settings = await withFileAsset(options.settings, { client, address }, ledgerId);
    const { withCounterparty, withDescription } = settings;
    const target = { ledgerId, withCounterparty, withDescription };
    const job = { source, settings, target, bookOpening, dryRun, now: systemClock() };
    return await importFile(job, { client, address, patience_ms, listener: drawing(io) });
  } finally {
    client.close();
    await source.close();
  }
}

/** A bar on a terminal; elsewhere only the notes, since a log has no use for a bar. */
function drawing({ stderr }: ImportProcess): ImportListener {
  const terminal = stderr.isTTY === true;
  let bar: SingleBar | undefined;
  return {
    begin: (title, total) => {
      if (!terminal) return;
      const format = `${title} [{bar}] {percentage}% {value}/{total} {eta_formatted}`;
      bar = new SingleBar({ format, etaBuffer: 1000, hideCursor: true });
      bar.start(total, 0);
    },
    progress: (done) => bar?.update(done),
    end: () => {
      bar?.stop();
      bar = undefined;
    },
    note: (line) => stderr.write(`${terminal ? '\r\u001b[K' : ''}${line}\n`),
  };
}

/** What the operator can put right, in sentences; a defect shows its stack. */
function explained(error: unknown): { readonly text: string; readonly exitCode: number } {
  if (error instanceof UsageError || error instanceof StartError)
    return { text: error.message, exitCode: EXIT_REFUSED };
  if (error instanceof BadFileError)
    return { text: `${error.message}\nnothing was booked`, exitCode: EXIT_REFUSED };
  if (error instanceof PreparationError)
    return { text: `${error.message}\nno movement was booked`, exitCode: EXIT_REFUSED };
  if (error instanceof SendError || error instanceof ChangedFileError)
    return {
      text: `${error.message}\nrun the same command again: it goes on from there`,
      exitCode: EXIT_INTERRUPTED,
    };
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return { text, exitCode: EXIT_INTERRUPTED };
}
