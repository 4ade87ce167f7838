/**
 * Functions made of source text, for what reads or writes every field of every message: as straight code with the names of the
 * fields in it, V8 optimizes it like code that was written by hand. A table of closures, one per field, costs several times as
 * much: all types share the places where properties are looked up.
 */

/**
 * What `body` returns, run with `constants` in scope. The text must be made of descriptors alone, and of nothing that comes in
 * with a request.
 */
export function compileSource(constants: Readonly<Record<string, unknown>>, body: string): unknown {
  // As constants of a closure that exists once, V8 builds the values themselves into the optimized code.
  const names = Object.keys(constants).join(', ');
  const make: unknown = new Function('constants', `'use strict';\nconst { ${names} } = constants;\n${body}`);
  return typeof make === 'function' ? Reflect.apply(make, undefined, [constants]) : undefined;
}
