/** W3C trace context: https://www.w3.org/TR/trace-context/ */
import { randomBytes } from 'node:crypto';

/** Later versions may add to it after a dash; `ff`, and a parent of zeros, make the whole header void. */
const TRACEPARENT = /^(?!ff)[0-9a-f]{2}-([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}(?:$|-)/;
const INVALID = '0'.repeat(32);

/** The trace id of a traceparent header: 32 lower-case hexadecimal characters; a new one if there is none to use. */
export function traceIdOf(traceparent: string | undefined): string {
  const found = traceparent === undefined ? undefined : TRACEPARENT.exec(traceparent)?.[1];
  return found === undefined || found === INVALID ? newTraceId() : found;
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
