/** `npm run import -- FILE --ledger LEDGER --currency CUR`: streams a CSV of account movements into a ledger. */
import { SingleBar } from 'cli-progress';
import { grpcClient } from '../client/grpc-client.js';
import { importFile, type ImportListener } from './import.js';
import { BadRowError } from './movements.js';
import { HELP, readOptions, UsageError } from './options.js';
import { reportLines } from './report.js';
import { SendError } from './send.js';

async function main(args: readonly string[]): Promise<number> {
  const options = readOptions(args);
  if (options === undefined) {
    process.stdout.write(HELP);
    return 0;
  }
  const client = grpcClient(options.address);
  const started_ms = performance.now();
  try {
    const { patience_ms } = options;
    const summary = await importFile(options.file, options, client, { patience_ms, listener: drawing() });
    for (const line of reportLines(summary, performance.now() - started_ms))
      process.stdout.write(`${line}\n`);
    return summary.mismatches.length === 0 ? 0 : 1;
  } finally {
    client.close();
  }
}

/** A bar on a terminal; elsewhere only the notes, since a log has no use for a bar. */
function drawing(): ImportListener {
  const terminal = process.stderr.isTTY;
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
    note: (line) => process.stderr.write(`${terminal ? '\r\u001b[K' : ''}${line}\n`),
  };
}

/** What the operator can put right is one line; anything else is a defect and shows its stack. */
function explain(error: unknown): string {
  if (error instanceof UsageError || error instanceof BadRowError) return `${error.message}\n`;
  if (error instanceof SendError) return `${error.message}\nrun the same command again: it resumes\n`;
  if (error instanceof Error && 'code' in error && 'path' in error)
    return `${String(error.path)} cannot be read (${String(error.code)})\n`;
  return `${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`;
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  process.stderr.write(explain(error));
  process.exitCode = 2;
}
