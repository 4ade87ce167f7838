/** The limits of accounts as an array parameter. */
import type { Buffer } from 'node:buffer';
import type { AccountState } from '../../gen/quittance/event/v1/event_pb.js';
import { limitsBytes } from './limits-of.js';
import { byteaArray } from './postgres-arrays.js';

/**
 * A `bytea[]` of the limits of accounts, empty if none has any: `unnest` of several arrays fills a shorter one up with nulls, so
 * that accounts without limits cost nothing.
 */
export function limitsArray(states: readonly AccountState[]): Buffer {
  const isAny = states.some(({ limits }) => limits !== undefined);
  return byteaArray(isAny ? states.map(({ limits }) => limitsBytes(limits)) : []);
}
