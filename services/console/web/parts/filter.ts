/** Filters as text: `kind:refund status:declined account:alice from:2026-11-01`. A key that no list takes is an error. */

export interface FilterText {
  readonly values: Readonly<Record<string, string>>;
  readonly problems: readonly string[];
}

/** @param keys what the list takes */
export function parseFilter(text: string, keys: readonly string[]): FilterText {
  const values: Record<string, string> = {};
  const problems: string[] = [];
  for (const word of text.split(/\s+/).filter((each) => each !== '')) {
    const cut = word.indexOf(':');
    const [key, value] = cut < 0 ? ['', word] : [word.slice(0, cut), word.slice(cut + 1)];
    if (!keys.includes(key) || value === '') {
      problems.push(
        `“${word}” is no filter of this list. It takes ${keys.map((each) => `${each}:`).join(' ')}`,
      );
    } else if (values[key] !== undefined) {
      problems.push(`${key}: stands twice`);
    } else {
      values[key] = value;
    }
  }
  return { values, problems };
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
