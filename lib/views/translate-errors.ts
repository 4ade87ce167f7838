/** One place per store for the errors of its driver, in place of a `try` in every method of every view. */

import type { View, ViewGenerations } from './view.js';

/**
 * The same object, but what its methods reject with goes through `translate` first. All of them answer with a
 * promise. The generations of a store wrap every view that they open, so that an adapter cannot forget it.
 */
export function translateErrors<T extends View | ViewGenerations<View>>(
  target: T,
  translate: (error: unknown) => unknown,
): T {
  const wrapped = new Map<unknown, unknown>();
  return new Proxy(target, {
    get(object, property) {
      const value: unknown = Reflect.get(object, property);
      if (typeof value !== 'function') return value;
      let method = wrapped.get(property);
      if (method === undefined) {
        method = async (...args: unknown[]): Promise<unknown> => {
          try {
            return (await Reflect.apply(value, object, args)) as unknown;
          } catch (error) {
            throw translate(error);
          }
        };
        wrapped.set(property, method);
      }
      return method;
    },
  });
}
