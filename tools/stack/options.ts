/** The options of `npm run stack`. */
import { resolve } from 'node:path';
import { InvalidArgumentError, Option } from '@commander-js/extra-typings';
import { commandLine, type Output, readCommandLine, UsageError } from '../../lib/process/command-line.js';
import type { StackRequest } from './control.js';
import { type Action, ACTIONS, MOST_RESTARTS } from './supervisor.js';

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
  /** Start again what has ended. */
  readonly restart: boolean;
  /** Ask the stack that runs in the directory, and end. */
  readonly request: StackRequest | undefined;
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
      [
        'npm run stack -- --scale command=2 --restart',
        'what ends is started again, as an orchestrator would',
      ],
      ['npm run stack -- --list', 'in another terminal: the names of the processes, and what each does'],
      ['npm run stack -- --kill command', 'in another terminal: kill -9, to see what that loss does'],
      ['npm run stack -- --ports-from 1000 --data /tmp/second', 'a second stack beside the first'],
    ],
    notes: [
      `With --restart a process that ends is started again after 0.5 s, then after longer and longer waits; after ${String(MOST_RESTARTS)} times in a row all is stopped. ` +
        'Without it all is stopped when one ends that was not asked to.',
      'NAME is command, projector, query, postgres, kafka, redis, mongodb, clickhouse; the second process of a service is command-2, and so on. ' +
        '--list, --kill and the like find the stack by --data.',
      'It reads no environment variables. See docs/operations.md.',
    ],
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
    .option('--install', 'only install the servers')
    .option('--restart', 'start again what ends')
    .option('--list', 'the processes of the stack that runs')
    .option(
      '--kill <name>',
      'kill -9 a process of the stack that runs; without --restart it stays away until --start',
    )
    .option('--stop <name>', 'stop one in order; it stays away until --start')
    .option('--start <name>', 'start one that was stopped')
    .option('--freeze <name>', 'SIGSTOP: it does not answer any more')
    .option('--thaw <name>', 'SIGCONT: it goes on')
    .option('--lose <name>', 'kill a server, delete its data, and start it empty');
}

/** @returns undefined where help was asked for. @throws UsageError on an unknown option or value */
export function readOptions(
  args: readonly string[],
  output: Pick<Output, 'stdout'>,
): StackOptions | undefined {
  const typed = readCommandLine(stackCommand(), args, output);
  if (typed === undefined) return undefined;
  const { scale, history, data, portsFrom, fresh, install, restart } = typed.options;
  return {
    directory: resolve(data),
    commands: scale?.get('command') ?? 1,
    projectors: scale?.get('projector') ?? 1,
    queries: scale?.get('query') ?? 1,
    history,
    offset: portsFrom,
    fresh: fresh === true,
    installOnly: install === true,
    restart: restart === true,
    request: requestOf(typed.options),
  };
}

/** @throws UsageError if it asks for several things */
function requestOf(
  typed: Readonly<Partial<Record<Action, string>>> & { readonly list?: true },
): StackRequest | undefined {
  const requests: StackRequest[] = ACTIONS.flatMap((action) => {
    const name = typed[action];
    return name === undefined ? [] : [{ action, name }];
  });
  if (typed.list === true) requests.push({ action: 'list' });
  if (requests.length > 1) {
    throw new UsageError('one thing at a time: --list, --kill, --stop, --start, --freeze, --thaw or --lose');
  }
  return requests[0];
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
