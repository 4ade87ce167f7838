/** What the command lines of the benchmarks against a running server share. */
import { InvalidArgumentError } from '@commander-js/extra-typings';
import { StartError } from '../lib/base/start-error.js';
import { isCallError, sentenceOfCall } from '../tools/client/errors.js';

/** Reads a whole number above zero. @throws InvalidArgumentError */
export function countOf(value: string): number {
  if (/^[1-9]\d{0,8}$/.test(value)) return Number(value);
  throw new InvalidArgumentError('It is a whole number above 0.');
}

/** Calls servers at some addresses. @throws StartError as a sentence where one of them does not answer. */
export async function againstServers<T>(addresses: readonly string[], work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!isCallError(error)) throw error;
    throw new StartError(sentenceOfCall(error, addresses.join(' or ')));
  }
}
