/** Small texts that several sheets show. */

/** `key=value` pairs, sorted by key. */
export function metadataText(metadata: Readonly<Record<string, string>>): string {
  const pairs = Object.entries(metadata).map(([key, value]) => `${key}=${value}`);
  return pairs.sort().join(' ');
}

/** A number that may be absent. */
export function numberText(number: bigint | number | undefined): string {
  return number === undefined ? '' : String(number);
}
