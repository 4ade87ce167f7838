/** The options of `npm run stack`. */
import { resolve } from 'node:path';
import { InvalidArgumentError, Option } from '@commander-js/extra-typings';
import { commandLine, type Output, readCommandLine } from '../../lib/process/command-line.js';

export interface StackOptions {
  /** Of all data and logs; an absolute path. */
  readonly directory: string;
  /** How many processes of each service. Of command: default 1. */
  readonly commands?: number | undefined;
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

/** Ports begin at most so much later: above lie those of outgoing connections. */
const MAX_OFFSET = 5_000;

function stackCommand() {
  return commandLine({
    name: 'npm run stack --',
    summary:
      'Installs and starts, without Docker and on this machine only, the whole distributed platform: PostgreSQL, Kafka, Redis, ' +
      'MongoDB, ClickHouse, and the services as processes of their own. Ctrl-C stops all of it.',
    examples: [
      ['npm run stack', 'one process of each service, on the usual ports'],
      ['npm run stack -- --scale command=2 --scale projector=2 --scale query=2', 'several of each'],
      ['npm run stack -- --history postgres --fresh', 'the history in PostgreSQL, from nothing'],
      ['npm run stack -- --ports-from 1000 --data /tmp/second', 'a second stack beside the first'],
    ],
    notes: ['It reads no environment variables. See docs/operations.md.'],
  })
    .option(
      '--scale <service=number>',
      'processes of command, projector or query, 1 to 9; may be repeated',
      scaleOf,
    )
    .addOption(
      new Option('--history <store>', 'where the history lies')
        .choices(['mongodb', 'postgres'])
        .default('mongodb' as const),
    )
    .option('--data <directory>', 'data and logs', '.quittance-stack/data')
    .option('--ports-from <number>', `added to every port, at most ${String(MAX_OFFSET)}`, offsetOf, 0)
    .option('--fresh', 'delete the data of earlier runs first')
    .option('--install', 'only install the servers');
}

/** @returns undefined where help was asked for. @throws UsageError on an unknown option or value */
export function readOptions(
  args: readonly string[],
  output: Pick<Output, 'stdout'>,
): StackOptions | undefined {
  const typed = readCommandLine(stackCommand(), args, output);
  if (typed === undefined) return undefined;
  const { scale, history, data, portsFrom, fresh, install } = typed.options;
  return {
    directory: resolve(data),
    commands: scale?.get('command') ?? 1,
    projectors: scale?.get('projector') ?? 1,
    queries: scale?.get('query') ?? 1,
    history,
    offset: portsFrom,
    fresh: fresh === true,
    installOnly: install === true,
  };
}

function scaleOf(text: string, before?: Map<string, number>): Map<string, number> {
  const [, service, count] = /^(command|projector|query)=([1-9])$/.exec(text) ?? [];
  if (service === undefined)
    throw new InvalidArgumentError('It is command=1..9, projector=1..9 or query=1..9.');
  return new Map(before).set(service, Number(count));
}

function offsetOf(text: string): number {
  if (/^\d{1,4}$/.test(text) && Number(text) <= MAX_OFFSET) return Number(text);
  throw new InvalidArgumentError(`It is a whole number up to ${String(MAX_OFFSET)}.`);
}
