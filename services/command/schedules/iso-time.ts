/** Times as RFC 3339 writes them in UTC, with microseconds only where there are any. */
import { SECOND, type Micros } from '../../../lib/base/time.js';

/** `2026-12-01T08:00:00Z` */
export function isoOf(time: Micros): string {
  const whole = new Date(Number(time / SECOND) * 1000).toISOString().slice(0, 19);
  const part = time % SECOND;
  return part === 0n ? `${whole}Z` : `${whole}.${String(part).padStart(6, '0')}Z`;
}
