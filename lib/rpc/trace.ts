/** W3C trace context: https://www.w3.org/TR/trace-context/ */
import { randomBytes } from 'node:crypto';
import { spanPointOf } from '../observe/tracing.js';

/** The trace id of a traceparent header: 32 lower-case hexadecimal characters; a new one if there is none to use. */
export function traceIdOf(traceparent: string | undefined): string {
  return spanPointOf(traceparent)?.traceId ?? newTraceId();
}

/** Random bytes come in blocks: one system call for a hundred calls. */
let pool = Buffer.alloc(0);
let used = 0;

function newTraceId(): string {
  if (used === pool.length) {
    pool = randomBytes(1600);
    used = 0;
  }
  used += 16;
  return pool.toString('hex', used - 16, used);
}
