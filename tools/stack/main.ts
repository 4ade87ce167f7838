/** `npm run stack`: runs the distributed platform on this machine, without Docker, until Ctrl-C. */
import { runCommand } from '../../lib/process/command-line.js';
import { bannerOf } from './banner.js';
import { askStack, openControl } from './control.js';
import { readOptions, type StackOptions } from './options.js';
import { installEngines, type Stack, startStack } from './stack.js';
import { Supervisor } from './supervisor.js';

const print = (line: string) => process.stdout.write(`${line}\n`);

/** Under npm one Ctrl-C arrives twice: the terminal sends it, and npm sends it again. */
const SAME_KEYPRESS_ms = 400;

async function run(): Promise<number> {
  const options = readOptions(process.argv.slice(2), process);
  if (options === undefined) return 0;
  if (options.request !== undefined) {
    print(await askStack(options.directory, options.request));
    return 0;
  }
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
  const failure = await watchOver(stack, options, signalled);
  if (failure !== undefined) print(`${failure.message}; stopping the rest`);
  await stack.stop();
  print('stopped');
  return failure === undefined ? 0 : 1;
}

/** Resolves when a signal has come, or with why the stack cannot go on. */
async function watchOver(
  stack: Stack,
  { directory, restart }: StackOptions,
  signalled: Promise<undefined>,
): Promise<Error | undefined> {
  const supervisor = new Supervisor({
    parts: stack.parts,
    restart: (part) => stack.restart(part),
    lose: (part) => stack.lose(part),
    isRestarting: restart,
    log: print,
  });
  const control = await openControl(directory, supervisor);
  print(bannerOf(stack, { directory }));
  // Waiting for a signal does not keep a process alive.
  const alive = setInterval(() => undefined, 60_000);
  const failure = await Promise.race([signalled, supervisor.failed]);
  clearInterval(alive);
  await control.close();
  await supervisor.close();
  return failure;
}

process.exit(await runCommand(process, run));
