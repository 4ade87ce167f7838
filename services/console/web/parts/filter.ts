/** Filters as text: `kind:refund status:declined account:alice from:2026-11-01`. A key that no list takes is an error. */

export interface FilterText {
  /** The value of each key, the first one of a key that may be repeated. */
  readonly values: Readonly<Record<string, string>>;
  /** All values of the keys that may be repeated. */
  readonly lists: Readonly<Record<string, readonly string[]>>;
  readonly problems: readonly string[];
}

/** Words without spaces, or with them between quotes: `reference:"order 1"`. */
const WORD = /(?:[^\s"]+|"[^"]*"?)+/g;

/**
 * @param keys what the list takes
 * @param repeated those of them that may stand more than once
 */
export function parseFilter(
  text: string,
  keys: readonly string[],
  repeated: readonly string[] = [],
): FilterText {
  const values: Record<string, string> = {};
  const lists: Record<string, string[]> = {};
  const problems: string[] = [];
  for (const quoted of text.match(WORD) ?? []) {
    const word = quoted.replaceAll('"', '');
    const cut = word.indexOf(':');
    const [key, value] = cut < 0 ? ['', word] : [word.slice(0, cut), word.slice(cut + 1)];
    if (!keys.includes(key) || value === '') {
      problems.push(
        `“${word}” is no filter of this list. It takes ${keys.map((each) => `${each}:`).join(' ')}`,
      );
    } else if (values[key] !== undefined && !repeated.includes(key)) {
      problems.push(`${key}: stands twice`);
    } else {
      values[key] ??= value;
      lists[key] = [...(lists[key] ?? []), value];
    }
  }
  return { values, lists, problems };
}

/** A day or a time, as ISO 8601, or `-2h`, `-7d` before now, or `+24h` after it; undefined if it is none. */
export function typedTime(text: string, now: Date): Date | undefined {
  const [, sign, digits, unit] = /^([+-])(\d{1,5})([mhd])$/.exec(text) ?? [];
  if (digits !== undefined) {
    const unit_ms = unit === 'm' ? 60_000 : unit === 'h' ? 3_600_000 : 86_400_000;
    return new Date(now.getTime() + (sign === '-' ? -1 : 1) * +digits * unit_ms);
  }
  if (!/^\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d)?(Z|[+-]\d\d:\d\d)?)?$/.test(text)) return undefined;
  const hasZone = /(Z|[+-]\d\d:\d\d)$/.test(text);
  const date = new Date(text.includes('T') && !hasZone ? `${text}Z` : text);
  return Number.isNaN(date.getTime()) ? undefined : date;
}
