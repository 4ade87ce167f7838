/** Leaves out what was not given: a field of a message that is not set is another thing than an empty one. */

/** The fields that have a value. */
export type Given<T> = { [K in keyof T]?: Exclude<T[K], undefined> };

/** The same fields without those that are undefined. */
export function given<T extends object>(fields: T): Given<T> {
  const entries = Object.entries(fields).filter(([, value]) => value !== undefined);
  // Only undefined values are gone, as the type says.
  return Object.fromEntries(entries) as Given<T>;
}
