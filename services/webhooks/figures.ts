/** What the deliveries of this process count. */
import { Buckets, SECONDS } from '../../lib/observe/buckets.js';

export type AttemptResult = 'delivered' | 'failed' | 'parked';

export class WebhookFigures {
  /** Attempts by result; `parked`: it failed, and was the last one. */
  readonly attempts: Record<AttemptResult, number> = { delivered: 0, failed: 0, parked: 0 };
  /** Seconds from the first step of a request to the head of its answer. */
  readonly times = new Buckets(SECONDS);

  attempted(result: AttemptResult, duration_ms: number): void {
    this.attempts[result] += 1;
    this.times.observe(duration_ms / 1000);
  }
}
