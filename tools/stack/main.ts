/** `npm run stack`: the platform as it is distributed, on this machine and without Docker, until Ctrl-C. */
import { StartError } from '../../lib/base/start-error.js';
import { bannerOf } from './banner.js';
import { readOptions } from './options.js';
import { installEngines, type Stack, startStack } from './stack.js';

const print = (line: string) => process.stdout.write(`${line}\n`);

/** Ctrl-C arrives twice under npm: from the terminal and, passed on, from npm. */
const SAME_KEYPRESS_ms = 400;

async function run(): Promise<number> {
  const options = readOptions(process.argv.slice(2));
  const started: { stack?: Stack } = {};
  let askedAt_ms: number | undefined;
  let ask = () => {};
  const asked = new Promise<undefined>((resolve) => {
    ask = () => {
      resolve(undefined);
    };
  });
  const onSignal = () => {
    if (askedAt_ms === undefined) {
      askedAt_ms = performance.now();
      print('stopping; once more ends at once');
      ask();
    } else if (performance.now() - askedAt_ms > SAME_KEYPRESS_ms) {
      void (started.stack?.kill() ?? Promise.resolve()).finally(() => process.exit(130));
    }
  };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, onSignal);
  await installEngines(print);
  const stack = await startStack({ ...options, log: print });
  started.stack = stack;
  print(bannerOf(stack, options));
  // Signals alone do not keep a process alive.
  const alive = setInterval(() => undefined, 60_000);
  const failure = await Promise.race([asked, stack.died]);
  if (failure !== undefined) print(`${failure.message}; stopping the rest`);
  await stack.stop();
  clearInterval(alive);
  print('stopped');
  return failure === undefined ? 0 : 1;
}

try {
  process.exit(await run());
} catch (error) {
  const text =
    error instanceof StartError ? error.message : error instanceof Error ? error.stack : String(error);
  process.stderr.write(`${text ?? 'unknown error'}\n`);
  process.exit(1);
}
