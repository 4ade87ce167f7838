/** The options of `npm run stack`. */
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { StartError } from '../../lib/base/start-error.js';

export interface StackOptions {
  /** Of all data and logs; an absolute path. */
  readonly directory: string;
  /** How many processes of each service that scales. */
  readonly projectors: number;
  readonly queries: number;
  readonly history: 'mongodb' | 'postgres';
  /** Added to every port. */
  readonly offset: number;
  /** Delete the data of earlier runs first. */
  readonly fresh: boolean;
  /** Install the servers and end. */
  readonly installOnly: boolean;
}

export const USAGE =
  'npm run stack -- [--scale projector=N] [--scale query=N] [--history mongodb|postgres] [--data DIR] [--ports-from N] [--fresh] [--install]';

/** @throws StartError on an unknown option or value */
export function readOptions(args: readonly string[]): StackOptions {
  const { values } = parse(args);
  const scale = scaleOf(values.scale ?? []);
  const history = values.history ?? 'mongodb';
  if (history !== 'mongodb' && history !== 'postgres') throw misuse(`--history ${history}`);
  const offset = Number(values['ports-from'] ?? '0');
  if (!Number.isInteger(offset) || offset < 0 || offset > 5_000)
    throw misuse(`--ports-from ${String(offset)}`);
  return {
    directory: resolve(values.data ?? '.quittance-stack/data'),
    projectors: scale.get('projector') ?? 1,
    queries: scale.get('query') ?? 1,
    history,
    offset,
    fresh: values.fresh ?? false,
    installOnly: values.install ?? false,
  };
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        scale: { type: 'string', multiple: true },
        history: { type: 'string' },
        data: { type: 'string' },
        'ports-from': { type: 'string' },
        fresh: { type: 'boolean' },
        install: { type: 'boolean' },
      },
    });
  } catch (error) {
    throw misuse(error instanceof Error ? error.message : 'arguments');
  }
}

function scaleOf(texts: readonly string[]): Map<string, number> {
  return new Map(
    texts.map((text) => {
      const found = /^(projector|query)=([1-9])$/.exec(text);
      if (found === null)
        throw misuse(`--scale ${text} (projector=1..9 or query=1..9; there is one command service)`);
      return [found[1] ?? '', Number(found[2])];
    }),
  );
}

function misuse(what: string): StartError {
  return new StartError(`${what} is not understood; usage: ${USAGE}`);
}
