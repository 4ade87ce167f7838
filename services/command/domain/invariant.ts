/** Broken invariants are defects of ours, never answers to a caller: they throw. */

/**
 * Asserts what must hold wherever money moves.
 * @throws Error if it does not.
 */
export function invariant(holds: boolean, what: string): asserts holds {
  if (!holds) throw new Error(`broken invariant: ${what}`);
}

/**
 * The end of an exhaustive switch.
 * @throws Error always: a value of a type that the compiler believes to be impossible.
 */
export function unreachable(value: never): never {
  throw new Error(`broken invariant: unexpected ${JSON.stringify(value)}`);
}
