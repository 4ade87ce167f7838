/** Keeps health true: a service whose store does not answer is not serving, and serves again by itself. */
import type { Closeables } from '../base/closeables.js';
import type { Health } from './health.js';

export interface HealthProbe {
  /** The services whose health hangs on this probe. */
  readonly services: readonly string[];
  /** Resolves with whether they can serve now; a rejection means that they cannot. */
  probe(): Promise<boolean>;
}

/** How often a service asks whether it can serve. Milliseconds. */
const INTERVAL_MS = 1_000;

/** Probes now and then every second, until `closeables` close. The first round is awaited. */
export async function keepHealth(
  health: Pick<Health, 'set'>,
  probes: readonly HealthProbe[],
  closeables: Closeables,
): Promise<void> {
  const probing = await probeHealth(health, probes, INTERVAL_MS);
  closeables.add('the health probe', () => probing.stop());
}

/** Probes now and then every interval, until stopped. The first round is awaited. */
export async function probeHealth(
  health: Pick<Health, 'set'>,
  probes: readonly HealthProbe[],
  interval_ms: number,
): Promise<{ stop(): Promise<void> }> {
  const round = () =>
    Promise.all(
      probes.map(async ({ services, probe }) => {
        const isServing = await probe().catch(() => false);
        for (const service of services) health.set(service, isServing);
      }),
    );
  await round();
  let running: Promise<unknown> = Promise.resolve();
  let isRunning = false;
  const timer = setInterval(() => {
    // A store that is away may take longer to say so than the interval.
    if (isRunning) return;
    isRunning = true;
    running = round().finally(() => {
      isRunning = false;
    });
  }, interval_ms);
  return {
    stop: async () => {
      clearInterval(timer);
      await running;
    },
  };
}
