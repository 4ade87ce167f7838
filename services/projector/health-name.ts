/** The names of the projections in the health of a process. */
import type { ViewId } from '../../lib/views/view.js';

/** The name under which grpc.health.v1 knows a projection. */
export function healthServiceOf(id: ViewId): string {
  return `quittance.projection.${id}`;
}
