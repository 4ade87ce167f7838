/** What `npm run stack` prints when everything runs: the addresses, and a command to try. */
import type { StackOptions } from './options.js';
import type { RunningService } from './services.js';
import type { Stack } from './stack.js';

/** The text, with an empty line before and after. */
export function bannerOf(stack: Stack, { directory }: Pick<StackOptions, 'directory'>): string {
  const { command, commands, projectors, queries, engines } = stack;
  const services: readonly RunningService[] = [...commands, ...projectors, ...queries];
  const lines = [
    'Quittance is ready, distributed. Ctrl-C stops all of it.',
    row('service', 'gRPC', 'Connect'),
    ...services.map(({ name, addresses }) => row(name, addresses.grpc, addresses.connect)),
    ...Object.values(engines).map(({ name, url }) => row(name, url.replace(/:[^:@/]+@/, ':…@'), '')),
    ...queries.flatMap(({ addresses }) =>
      addresses.console === undefined ? [] : [row('console', addresses.console, '')],
    ),
    row('data, logs', directory, ''),
    row('try', `grpcurl -plaintext ${command.addresses.grpc} list`, ''),
  ];
  return `\n${lines.join('\n')}\n`;
}

function row(name: string, one: string, other: string): string {
  return `  ${name.padEnd(12)} ${one.padEnd(20)} ${other}`.trimEnd();
}
