import { describe, expect, test } from '@jest/globals';
import { probeHealth } from './health-probe.js';

describe('the health probe', () => {
  test('says NOT_SERVING while the store is away, of its own services alone, and SERVING once it is back', async () => {
    let isAway = false;
    const states = new Map<string, boolean>();
    const changed: { resolve: () => void } = { resolve: () => undefined };
    const health = {
      set: (service: string, serving: boolean) => {
        if (states.get(service) === serving) return;
        states.set(service, serving);
        changed.resolve();
      },
    };
    const next = () =>
      new Promise<void>((resolve) => {
        changed.resolve = resolve;
      });
    const probing = await probeHealth(
      health,
      [
        {
          services: ['a', 'b'],
          probe: () => (isAway ? Promise.reject(new Error('away')) : Promise.resolve(true)),
        },
        { services: ['c'], probe: () => Promise.resolve(true) },
      ],
      5,
    );
    expect(Object.fromEntries(states)).toEqual({ a: true, b: true, c: true });
    isAway = true;
    await next();
    expect(states.get('a')).toBe(false);
    expect(states.get('c')).toBe(true);
    isAway = false;
    await next();
    expect(states.get('a')).toBe(true);
    await probing.stop();
  });
});
