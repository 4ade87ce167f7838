/** Where the server is and who asks: a flag, then QUITTANCE_CLI_*, then the profile, then localhost. */
import { type Environment, valueOf } from '../../lib/base/environment.js';
import { StartError } from '../../lib/base/start-error.js';
import { UsageError } from '../../lib/process/command-line.js';
import { accessOf } from '../client/access.js';
import { parseAddress } from '../client/address.js';
import type { GrpcAccess } from '../client/grpc-client.js';
import { grouped, text, toggle, value, type FlagValues } from './flags.js';
import type { Io } from './io.js';
import { type ProfileKey, readConfig } from './profile.js';

/** The flags of every verb that calls a server. */
export const CONNECTION_FLAGS = grouped('Connection', {
  address: value('host:port', 'the gRPC door', parseAddress),
  queryAddress: value('host:port', 'the gRPC door of queries, where it is another one', parseAddress),
  opsAddress: value(
    'host:port',
    'the gRPC door of projections and proofs, where it is another one',
    parseAddress,
  ),
  token: text('token', 'an API key or a token; better in the profile or QUITTANCE_CLI_TOKEN'),
  caFile: text('file', 'the certificates by which the server is known; puts TLS on'),
  tls: toggle('TLS, by the certificates that Node knows'),
  profile: text('name', 'the profile to use'),
});

/** The variables, for the help. */
export const VARIABLE_HELP = {
  QUITTANCE_CLI_ADDRESS:
    'as --address; QUITTANCE_CLI_LEDGER, _TOKEN, _PROFILE, _CA_FILE, _QUERY_ADDRESS and so on likewise',
} as const;

export interface Settings {
  readonly profile: string;
  readonly address: string;
  readonly queryAddress: string;
  readonly opsAddress: string;
  readonly ledger: string | undefined;
  /** Who calls, and by what the server is known. */
  readonly access: GrpcAccess;
  /** The same as variables, for a program that is started on these settings. */
  readonly accessVariables: Readonly<Record<string, string>>;
}

const LOCAL = 'localhost:50051';

/** The profile by a flag, else the variable, else the file. */
export function profileNameOf(io: Pick<Io, 'env' | 'home'>, flag: string | undefined): string {
  return flag ?? valueOf(io.env, 'QUITTANCE_CLI_PROFILE') ?? readConfig(io).profile;
}

/** @throws StartError, UsageError */
export function settingsOf(
  io: Pick<Io, 'env' | 'home'>,
  flags: FlagValues<typeof CONNECTION_FLAGS> & { readonly ledger?: string | undefined },
): Settings {
  const config = readConfig(io);
  const named = flags.profile ?? valueOf(io.env, 'QUITTANCE_CLI_PROFILE');
  const name = named ?? config.profile;
  const profile = config.profiles[name];
  if (profile === undefined && named !== undefined)
    throw new UsageError(`there is no profile ${JSON.stringify(named)}; quittance config list shows all`);
  const setting = (key: ProfileKey): string | undefined => variable(io.env, key) ?? profile?.[key];
  const addressOf = (key: ProfileKey): string | undefined => {
    const address = setting(key);
    return address === undefined ? undefined : checked(key, address);
  };
  const address = flags.address ?? addressOf('address') ?? LOCAL;
  // An address by flag names another server: the doors of the profile are not its doors.
  const other = (flag: string | undefined, key: ProfileKey) =>
    flag ?? (flags.address === undefined ? addressOf(key) : undefined) ?? address;
  const token = flags.token ?? setting('token');
  const caFile = flags.caFile ?? setting('ca_file');
  const tls = flags.tls ?? (setting('tls') === 'true' || caFile !== undefined);
  return {
    profile: name,
    address,
    queryAddress: other(flags.queryAddress, 'query_address'),
    opsAddress: other(flags.opsAddress, 'ops_address'),
    ledger: flags.ledger ?? setting('ledger'),
    access: accessOf({}, { token, caFile, tls }),
    accessVariables: {
      QUITTANCE_CLI_TOKEN: token ?? '',
      QUITTANCE_CLI_CA_FILE: caFile ?? '',
      QUITTANCE_CLI_TLS: String(tls),
    },
  };
}

function variable(env: Environment, key: ProfileKey): string | undefined {
  return valueOf(env, `QUITTANCE_CLI_${key.toUpperCase()}`);
}

function checked(key: ProfileKey, address: string): string {
  try {
    return parseAddress(address);
  } catch {
    throw new StartError(`${key} is ${JSON.stringify(address)}; it is HOST:PORT, such as ${LOCAL}`);
  }
}
