/**
 * Whether a Redis may hold a view: one that throws keys away for want of memory would lose balances in
 * silence.
 */
import { mastersOf, type RedisClient } from './client.js';

/** What is known of it. The text is for operators. */
export interface RedisSafety {
  /** `unknown`: Redis does not answer that question, as some managed services do not, or is away. */
  readonly verdict: 'safe' | 'unsafe' | 'unknown';
  readonly detail: string;
}

/**
 * Asks every master which keys it would evict. `noeviction` is safe, and so are the `volatile-` policies:
 * they evict only keys that expire, and a view's keys never do. A lost key is noticed and the view built
 * again all the same, but only after readers were refused.
 */
export async function redisSafety(client: RedisClient): Promise<RedisSafety> {
  const policies = await Promise.all(mastersOf(client).map((master) => policyOf(master)));
  const unsafe = policies.find((policy) => policy?.startsWith('allkeys-'));
  if (unsafe !== undefined) {
    return {
      verdict: 'unsafe',
      detail: `Redis evicts keys when its memory is full (maxmemory-policy ${unsafe}): set it to noeviction`,
    };
  }
  if (policies.length === 0 || policies.includes(undefined)) {
    return {
      verdict: 'unknown',
      detail: 'Redis does not tell its maxmemory-policy: make sure that it is noeviction',
    };
  }
  return { verdict: 'safe', detail: `maxmemory-policy ${[...new Set(policies)].join(', ')}` };
}

/** Undefined where Redis does not say. INFO has it, and is allowed where CONFIG is not. */
async function policyOf(server: { info(section: 'memory'): Promise<string> }): Promise<string | undefined> {
  // A server that is away now is no reason not to start; that shows in other ways.
  const info = await server.info('memory').catch(() => '');
  return /^maxmemory_policy:(\S+)/m.exec(info)?.[1];
}
