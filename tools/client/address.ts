/** Where the server is: by the same variables as the server reads, or by a flag. */
import { InvalidArgumentError } from '@commander-js/extra-typings';
import { type Environment, valueOf } from '../../lib/base/environment.js';
import { localAddressOf } from '../../lib/process/address.js';
import { StartError } from '../../lib/base/start-error.js';

/** The gRPC port of a server that was not told another one. */
export const DEFAULT_GRPC_PORT = 50_051;

/** For `--help`: the variables by which tools find the server. */
export const ADDRESS_VARIABLE_HELP = {
  QUITTANCE_HOST: 'host of the server (default localhost)',
  QUITTANCE_GRPC_PORT: `port of gRPC (default ${String(DEFAULT_GRPC_PORT)})`,
} as const;

/** `host:port` of the gRPC door, by the environment. @throws StartError if the variables name no port to connect to. */
export function grpcAddressOf(env: Environment): string {
  const host = valueOf(env, 'QUITTANCE_HOST') ?? 'localhost';
  const port = valueOf(env, 'QUITTANCE_GRPC_PORT') ?? String(DEFAULT_GRPC_PORT);
  if (port === '0')
    throw new StartError(
      'QUITTANCE_GRPC_PORT is 0, with which the server chooses a port; name the port that it printed, with --address HOST:PORT',
    );
  if (!isPort(port)) throw new StartError(`QUITTANCE_GRPC_PORT is ${JSON.stringify(port)}; allowed: a port`);
  return localAddressOf(host, port);
}

/** Reads the value of `--address`. @throws InvalidArgumentError if it is not `host:port`. */
export function parseAddress(value: string): string {
  const [, port] = /^(?:\[[0-9a-f:.]+\]|[^\s:/]+):(\d+)$/i.exec(value) ?? [];
  if (port === undefined || !isPort(port))
    throw new InvalidArgumentError('It is HOST:PORT, such as localhost:50051.');
  return value;
}

function isPort(text: string): boolean {
  return /^\d{1,5}$/.test(text) && Number(text) >= 1 && Number(text) <= 65_535;
}
