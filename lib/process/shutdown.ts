/** How the process ends: on a signal, on the death of an engine, on an error that nobody caught. */
import type pino from 'pino';

/** What of `process` is needed; entry files pass the real one. */
export type Host = {
  on: (event: string, listener: (...args: unknown[]) => void) => unknown;
  off: (event: string, listener: (...args: unknown[]) => void) => unknown;
  exit: (code: number) => void;
};

/** The watch over signals and over errors that nobody caught. */
export type EndWatch = {
  /** Aborted by the first signal. */
  signal: AbortSignal;
  /** What to do before the process ends at once: must be quick and must not wait. The last made is called first. */
  onAbandon: (abandon: () => void) => void;
  /** Leaves the signals to the system again. */
  dispose: () => void;
};

/** What is logged here; pino's own type fits. */
export type ShutdownLog = Pick<pino.Logger, 'info' | 'warn' | 'error' | 'fatal'>;

/** Ctrl-C arrives twice under npm: from the terminal and, passed on, from npm. Nobody presses it again this fast. */
const SAME_KEYPRESS_MS = 400;

/** What died was needed by every call: none under way can be finished, they can only be told so. */
const AFTER_FAILURE_MS = 1_000;

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'];
const CRASHES = ['uncaughtException', 'unhandledRejection'];

/**
 * Watches from now on, so that a Ctrl-C during the start is not lost: the start asks `signal` between its steps. A second
 * signal ends the process at once with code 130, an error that nobody caught with code 1.
 */
export function watchForEnd(host: Host, log: ShutdownLog): EndWatch {
  const controller = new AbortController();
  const abandons: (() => void)[] = [];
  let firstAt_ms = 0;
  const endNow = (code: number): void => {
    for (const abandon of abandons.splice(0).reverse()) {
      try {
        abandon();
      } catch (error) {
        log.error({ err: error }, 'leaving in a hurry');
      }
    }
    host.exit(code);
  };
  const onSignal = (signal: unknown): void => {
    if (!controller.signal.aborted) {
      firstAt_ms = performance.now();
      log.info({ signal }, 'stopping; once more ends at once');
      controller.abort();
    } else if (performance.now() - firstAt_ms > SAME_KEYPRESS_MS) {
      endNow(130);
    }
  };
  const onCrash = (error: unknown): void => {
    log.fatal({ err: error }, 'an error that nobody caught: ending');
    endNow(1);
  };
  for (const signal of SIGNALS) host.on(signal, onSignal);
  for (const crash of CRASHES) host.on(crash, onCrash);
  return {
    signal: controller.signal,
    onAbandon: (abandon) => abandons.push(abandon),
    dispose: () => {
      for (const signal of SIGNALS) host.off(signal, onSignal);
      for (const crash of CRASHES) host.off(crash, onCrash);
    },
  };
}

/** What to do at the end. */
export type Shutdown = {
  watch: EndWatch;
  log: ShutdownLog;
  /** Answers NOT_SERVING, takes no new calls, and resolves when those under way are done. */
  drain: () => Promise<void>;
  /** Closes everything, engines last. */
  stop: () => Promise<void>;
  /** How long calls under way may take. */
  drain_ms: number;
  /** Resolves when something died without which we cannot go on. */
  failed?: Promise<Error>;
};

/**
 * Waits for the first signal or for a failure, then drains and stops.
 *
 * @returns the exit code: 0 after a signal, 1 after a failure.
 */
export async function runUntilSignal(shutdown: Shutdown): Promise<number> {
  const { watch, log } = shutdown;
  const asked = new Promise<undefined>((resolve) => {
    if (watch.signal.aborted) resolve(undefined);
    watch.signal.addEventListener('abort', () => resolve(undefined), { once: true });
  });
  // Signals alone do not keep a process alive; it must not end because nothing happens to be open.
  const alive = setInterval(() => undefined, 60_000);
  const failure = await Promise.race(shutdown.failed ? [asked, shutdown.failed] : [asked]);
  if (failure) log.fatal({ err: failure }, 'ending');
  const drain_ms = failure ? Math.min(AFTER_FAILURE_MS, shutdown.drain_ms) : shutdown.drain_ms;
  try {
    const drained = await within(shutdown.drain(), drain_ms);
    if (!drained) log.warn({ drain_ms }, 'calls still under way are cut off');
  } catch (error) {
    log.error({ err: error }, 'draining failed');
  }
  try {
    await shutdown.stop();
  } catch (error) {
    log.error({ err: error }, 'stopping failed');
    return 1;
  } finally {
    clearInterval(alive);
  }
  if (!failure) return 0;
  // Once more as the last line: what failed for want of it has filled the log since.
  log.fatal({ reason: failure.message }, 'ended; start again to go on');
  return 1;
}

/** Whether the work finished in time. */
async function within(work: Promise<void>, limit_ms: number): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<false>((resolve) => {
    timer = setTimeout(() => {
      resolve(false);
    }, limit_ms);
  });
  try {
    return await Promise.race([work.then(() => true), late]);
  } finally {
    clearTimeout(timer);
  }
}
