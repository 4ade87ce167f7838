/** The one place that makes numbers: of counts, places and times, never of money. */

/** A count or a position as a number for charts and sizes. Above 2^53 the last digits are lost. */
export function countOf(value: bigint | string): number {
  return Number(value);
}

/** The height of a bar: a whole amount as a share of the highest. */
export function shareOf(value: bigint, highest: bigint): number {
  const STEPS = 10_000n;
  return highest === 0n ? 0 : Number((value * STEPS) / highest) / Number(STEPS);
}

/** `18,231`. */
export function countText(value: bigint | number): string {
  return value.toLocaleString('en');
}

/** `1 event`, `18,231 events`. */
export function eventsText(count: bigint): string {
  return `${countText(count)} ${count === 1n ? 'event' : 'events'}`;
}

/** A position as people type it; undefined if it is none. */
export function typedPosition(text: string): bigint | undefined {
  const digits = text.trim().replaceAll(',', '');
  return /^\d{1,18}$/.test(digits) ? BigInt(digits) : undefined;
}
