/** `npm run stack`: runs the distributed platform on this machine, without Docker, until Ctrl-C. */
import { runCommand } from '../../lib/process/command-line.js';
import { bannerOf } from './banner.js';
import { readOptions } from './options.js';
import { installEngines, type Stack, startStack } from './stack.js';

const print = (line: string) => process.stdout.write(`${line}\n`);

/** Under npm one Ctrl-C arrives twice: the terminal sends it, and npm sends it again. */
const SAME_KEYPRESS_ms = 400;

async function run(): Promise<number> {
  const options = readOptions(process.argv.slice(2), process);
  if (options === undefined) return 0;
  const started: { stack?: Stack } = {};
  let firstSignalAt_ms: number | undefined;
  let stopNow = () => {};
  const signalled = new Promise<undefined>((resolve) => {
    stopNow = () => {
      resolve(undefined);
    };
  });
  const onSignal = () => {
    if (firstSignalAt_ms === undefined) {
      firstSignalAt_ms = performance.now();
      print('stopping; press Ctrl-C again to end at once');
      stopNow();
    } else if (performance.now() - firstSignalAt_ms > SAME_KEYPRESS_ms) {
      void (started.stack?.kill() ?? Promise.resolve()).finally(() => process.exit(130));
    }
  };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, onSignal);
  await installEngines(print);
  if (options.installOnly) return 0;
  const stack = await startStack({ ...options, log: print });
  started.stack = stack;
  print(bannerOf(stack, options));
  // Waiting for a signal does not keep a process alive.
  const alive = setInterval(() => undefined, 60_000);
  const failure = await Promise.race([signalled, stack.died]);
  if (failure !== undefined) print(`${failure.message}; stopping the rest`);
  await stack.stop();
  clearInterval(alive);
  print('stopped');
  return failure === undefined ? 0 : 1;
}

process.exit(await runCommand(process, run));
