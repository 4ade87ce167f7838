/**
 * Which store holds which view, as the environment says it: the same for the projector, which writes the
 * views, and for query, which reads them.
 */
import { checkedUrl, choiceOf, type Environment, requiredOf } from '../base/environment.js';

/** The stores of the distributed platform. */
export interface StoresConfig {
  /** Of one Redis, or of several nodes of a cluster, separated by commas. */
  readonly redisUrl: string;
  /** MongoDB with a database in its path; undefined: the PostgreSQL of the log. */
  readonly mongodbUrl: string | undefined;
  /** With a database in its path. */
  readonly clickhouseUrl: string;
}

export const STORE_VARIABLES = [
  'QUITTANCE_REDIS_URL',
  'QUITTANCE_HISTORY_STORE',
  'QUITTANCE_MONGODB_URL',
  'QUITTANCE_CLICKHOUSE_URL',
] as const;

const EXAMPLES = {
  redis: 'redis://localhost:6379',
  mongodb: 'mongodb://localhost:27017/quittance',
  clickhouse: 'http://localhost:8123/quittance',
};

/** @throws StartError */
export function readStores(env: Environment): StoresConfig {
  const store = choiceOf(env, 'QUITTANCE_HISTORY_STORE', ['mongodb', 'postgres'], 'mongodb');
  const redisUrl = requiredOf(env, 'QUITTANCE_REDIS_URL', EXAMPLES.redis);
  for (const url of redisUrl.split(',')) {
    checkedUrl('QUITTANCE_REDIS_URL', url.trim(), ['redis', 'rediss'], EXAMPLES.redis);
  }
  return {
    redisUrl,
    mongodbUrl: store === 'mongodb' ? mongodbUrlOf(env) : undefined,
    clickhouseUrl: checkedUrl(
      'QUITTANCE_CLICKHOUSE_URL',
      requiredOf(env, 'QUITTANCE_CLICKHOUSE_URL', EXAMPLES.clickhouse),
      ['http', 'https'],
      EXAMPLES.clickhouse,
    ),
  };
}

function mongodbUrlOf(env: Environment): string {
  const name = 'QUITTANCE_MONGODB_URL';
  return checkedUrl(
    name,
    requiredOf(env, name, EXAMPLES.mongodb),
    ['mongodb', 'mongodb+srv'],
    EXAMPLES.mongodb,
  );
}
