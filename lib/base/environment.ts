/** The environment, read once into typed values: whatever is wrong is one line that names the variable and what is allowed. */
import { StartError } from './start-error.js';

/** The environment as Node gives it. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** The value of a variable without blanks around it. An empty one counts as absent: that is how compose files leave one out. */
export function valueOf(env: Environment, name: string): string | undefined {
  const value = env[name]?.trim();
  return value === '' ? undefined : value;
}

/** @throws StartError if it is not set. `example` shows what one looks like. */
export function requiredOf(env: Environment, name: string, example: string): string {
  const value = valueOf(env, name);
  if (value === undefined) throw new StartError(`${name} is not set; for example ${name}=${example}`);
  return value;
}

/** @throws StartError on a variable with our prefix that is none of `known`: it is a spelling mistake. */
export function refuseUnknown(env: Environment, known: readonly string[]): void {
  const names = new Set<string>(known);
  for (const name of Object.keys(env)) {
    if (!name.startsWith('QUITTANCE_') || isOfOthers(name) || names.has(name)) continue;
    throw new StartError(`${name} is not a variable of Quittance; did you mean ${nearest(name, known)}?`);
  }
}

/** The tests' variables name their servers, the command line's the server to call: a process that these start inherits them. */
function isOfOthers(name: string): boolean {
  return name.startsWith('QUITTANCE_TEST_') || name.startsWith('QUITTANCE_CLI_');
}

/** A whole number within bounds. @throws StartError */
export function wholeOf(
  env: Environment,
  name: string,
  otherwise: number,
  { least, most, what }: { readonly least: number; readonly most: number; readonly what: string },
): number {
  const value = valueOf(env, name);
  if (value === undefined) return otherwise;
  if (!/^\d{1,9}$/.test(value) || Number(value) < least || Number(value) > most) throw bad(name, value, what);
  return Number(value);
}

/** One of a few words. @throws StartError */
export function choiceOf<C extends string>(
  env: Environment,
  name: string,
  choices: readonly C[],
  otherwise: C,
): C {
  const value = valueOf(env, name) ?? otherwise;
  const choice = choices.find((known) => known === value);
  if (choice === undefined) throw bad(name, value, choices.join(', '));
  return choice;
}

/**
 * A URL of a store, which may hold a password: it is not repeated.
 * @throws StartError if it does not begin with one of the protocols.
 */
export function checkedUrl(
  name: string,
  value: string,
  protocols: readonly string[],
  example: string,
): string {
  const isOne = protocols.some((each) => value.startsWith(`${each}://`) && value.length > each.length + 3);
  if (isOne) return value;
  throw new StartError(`${name} is not a URL of ${protocols.join(' or ')}; allowed: ${example}`);
}

/** A value that is not allowed, in the words that all of them share. */
export function bad(name: string, value: string, allowed: string): StartError {
  return new StartError(`${name} is ${JSON.stringify(value)}; allowed: ${allowed}`);
}

function nearest(name: string, known: readonly string[]): string {
  const ranked = known.map((each) => ({ each, distance: distance(name, each) }));
  ranked.sort((a, b) => a.distance - b.distance);
  return ranked[0]?.each ?? '';
}

/** How many letters to insert, remove or replace. */
function distance(a: string, b: string): number {
  let previous = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let row = 1; row <= a.length; row += 1) {
    const current = [row];
    for (let column = 1; column <= b.length; column += 1) {
      const replaced = (previous[column - 1] ?? 0) + (a[row - 1] === b[column - 1] ? 0 : 1);
      current.push(Math.min(replaced, (previous[column] ?? 0) + 1, (current[column - 1] ?? 0) + 1));
    }
    previous = current;
  }
  return previous[b.length] ?? 0;
}
