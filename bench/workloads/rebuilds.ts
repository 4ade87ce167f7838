/** P6: a rebuild of each view, with the comparison and the switch, against reading and decoding the same events. */
import { ProjectionService, RebuildPhase } from '../../gen/quittance/ops/v1/projection_service_pb.js';
import { microsOf } from '../../lib/base/time.js';
import { type Bench, settle } from '../bench.js';
import { Calibration } from '../calibration.js';
import type { Figure } from '../figure.js';
import { runBuilt } from '../processes.js';
import { VIEWS } from '../visible.js';

const { method } = ProjectionService;
const POLL_MS = 100;

export async function p6(bench: Bench): Promise<Figure[]> {
  await settle(bench);
  const { host, port } = bench.server.postgres;
  const printed = await runBuilt('bench/scan/postgres-scan-main.js', [host, port]);
  // Our own process wrote it.
  const scan = JSON.parse(printed) as { events: number; elapsed_ms: number };
  const scanned = (scan.events * 1000) / scan.elapsed_ms;
  const figures: Figure[] = [];
  for (const view of VIEWS) {
    const calibration = new Calibration();
    const value = await rebuild(bench, view);
    figures.push({
      id: `p6.${view}`,
      workload: `P6 rebuild of ${view}, events`,
      unit: '/s',
      value,
      calibration_us: calibration.stop(),
      limits: [{ name: 'read and decode', value: scanned, aim: 0.5 }],
      note: `${scan.events.toLocaleString('en-US')} events`,
    });
  }
  return figures;
}

/** @returns events per second */
async function rebuild({ client }: Bench, projectionId: string): Promise<number> {
  await client.unary(method.rebuildProjection, { projectionId }, 30_000);
  for (;;) {
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    const { projection } = await client.unary(method.getProjection, { projectionId }, 30_000);
    const found = projection?.rebuild;
    if (found?.phase === RebuildPhase.FAILED)
      throw new Error(`the rebuild of ${projectionId} failed: ${found.failure}`);
    if (found?.phase !== RebuildPhase.DONE) continue;
    if (found.startTime === undefined || found.endTime === undefined) continue;
    const elapsed_s = Number(microsOf(found.endTime) - microsOf(found.startTime)) / 1e6;
    return Number(found.position) / elapsed_s;
  }
}
