/** What every process tells of itself: memory, processor, event loop, version. */
import { statfs } from 'node:fs/promises';
import { getHeapStatistics } from 'node:v8';
import { collectDefaultMetrics, Registry } from 'prom-client';
import { registerGauge, registerGauges } from './gauges.js';

/** A registry with the metrics of the process. */
export function processRegistry(version: string): Registry {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry, prefix: 'quittance_' });
  registerGauge(
    registry,
    'quittance_heap_limit_bytes',
    'How large the heap may become before the process ends for want of memory.',
    () => getHeapStatistics().heap_size_limit,
  );
  registerGauges(registry, {
    name: 'quittance_build_info',
    help: 'Always 1; the label says which version of Quittance runs.',
    labelNames: ['version'],
    samples: () => [[{ version }, 1]],
  });
  return registry;
}

/** Registers how full the disk is on which a directory lies. */
export function diskMetrics(registry: Registry, directory: string): void {
  registerGauge(
    registry,
    'quittance_data_disk_free_bytes',
    'Room for unprivileged users on the disk of the data directory.',
    async () => {
      const { bavail, bsize } = await statfs(directory);
      return bavail * bsize;
    },
  );
  registerGauge(
    registry,
    'quittance_data_disk_size_bytes',
    'Size of the disk of the data directory.',
    async () => {
      const { blocks, bsize } = await statfs(directory);
      return blocks * bsize;
    },
  );
}
