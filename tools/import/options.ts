/** The command line of `npm run import`. */
import { InvalidArgumentError } from '@commander-js/extra-typings';
import type { Environment } from '../../lib/base/environment.js';
import { commandLine, type Output, readCommandLine, UsageError } from '../../lib/process/command-line.js';
import { ACCESS_FLAGS, accessOf } from '../client/access.js';
import { grpcAddressOf, parseAddress } from '../client/address.js';
import type { GrpcAccess } from '../client/grpc-client.js';
import { COMMAND_TEXT } from './help.js';
import { readMapping } from './mapping-file.js';
import { settingsOf } from './settings-of.js';
import type { ReadSettings } from './settings.js';

/** What the operator asked for. */
export interface ImportOptions {
  /** A path; `-` is the standard input. */
  readonly file: string;
  readonly ledgerId: string;
  /** `host:port` of the gRPC door. */
  readonly address: string;
  /** Who calls, and by what the server is known. */
  readonly access: GrpcAccess;
  /** For how long to try again when the server is away, without any progress. */
  readonly patience_ms: number;
  readonly dryRun: boolean;
  readonly bookOpening: boolean;
  readonly settings: ReadSettings;
}

const PATIENCE_S = 60;
const MAX_SKIPPED_LINES = 10_000;
const MAX_PATIENCE_S = 86_400;

function command() {
  return commandLine(COMMAND_TEXT)
    .usage('FILE --ledger LEDGER [options]')
    .argument('<file>', 'the file; - is the standard input')
    .requiredOption('--ledger <id>', 'the ledger; it is created if it does not exist', ledgerId)
    .option(
      '--currency <code>',
      'the currency of rows that print none, such as CZK, or an asset of the ledger; rows in another one are refused',
    )
    .option('--account <id>', 'the account of all rows, whatever the file says')
    .option('--dry-run', 'check the file and the ledger, book nothing, and say what would be booked')
    .option(
      '--book-opening',
      'book the balance that the file begins with, where the account is new to the ledger',
    )
    .option('--no-balances', 'do not read printed balances: nothing is compared')
    .option(
      '--with-counterparty',
      'keep counterparties as metadata; it may be personal data, which cannot be erased',
    )
    .option('--with-description', 'keep descriptions; they may be personal data, which cannot be erased')
    .option('--format <name>', 'csv, camt.053 or mt940 (default: the first bytes of the file decide)')
    .option(
      '--encoding <name>',
      'such as utf-8, windows-1250, iso-8859-2, utf-16le (default: what the file says, else utf-8)',
    )
    .option('--mapping <json>', 'a file that says what the following options say')
    .option('--map <field=column>', 'which column of a CSV is which; may be repeated', collected)
    .option('--delimiter <character>', 'between columns; tab for a tab (default: ,)')
    .option('--decimal <character>', '. or , before decimals (default: .)')
    .option('--thousands <character>', "what may stand between thousands: . , ' or space (default: nothing)")
    .option('--date-format <format>', 'such as DD.MM.YYYY or M/D/YY (default: YYYY-MM-DD)')
    .option('--skip-lines <count>', 'lines before the header that are passed over', whole(MAX_SKIPPED_LINES))
    .option('--no-header', 'there is no header: columns are named by number, from 1')
    .option('--newest-first', 'the last movement stands first')
    .option('--derive-ids', 'rows have no ids: derive them from what the rows say')
    .option('--ids-per-account', 'ids are unique in their account only')
    .option(
      '--patience <seconds>',
      'how long to try again while the server is away',
      whole(MAX_PATIENCE_S),
      PATIENCE_S,
    )
    .option(
      '--address <host:port>',
      'the gRPC port of the server (default: by the variables below)',
      parseAddress,
    )
    .option('--token <token>', ACCESS_FLAGS.token)
    .option('--ca-file <file>', ACCESS_FLAGS.caFile)
    .option('--tls', ACCESS_FLAGS.tls);
}

/** @returns undefined where help was asked for, which is printed. @throws UsageError, StartError */
export async function readOptions(
  args: readonly string[],
  env: Environment,
  output: Pick<Output, 'stdout'>,
): Promise<ImportOptions | undefined> {
  const typed = readCommandLine(command(), args, output);
  if (typed === undefined) return undefined;
  const [file] = typed.positionals;
  const { ledger, address, token, caFile, tls, patience, dryRun, bookOpening, mapping, ...flags } =
    typed.options;
  const settings = settingsOf(flags, mapping === undefined ? {} : await readMapping(mapping));
  if (bookOpening === true && !settings.balances)
    throw new UsageError('--book-opening books a printed balance, and --no-balances reads none');
  return {
    file,
    ledgerId: ledger,
    address: address ?? grpcAddressOf(env),
    access: accessOf(env, { token, caFile, tls }),
    patience_ms: patience * 1000,
    dryRun: dryRun ?? false,
    bookOpening: bookOpening ?? false,
    settings,
  };
}

function ledgerId(text: string): string {
  if (/^[A-Za-z0-9][A-Za-z0-9_.:-]{0,127}$/.test(text)) return text;
  throw new InvalidArgumentError('A ledger id has letters, digits and _.:- , at most 128.');
}

function collected(text: string, before: readonly string[] = []): string[] {
  return [...before, text];
}

function whole(most: number): (text: string) => number {
  return (text) => {
    if (/^\d{1,9}$/.test(text) && Number(text) <= most) return Number(text);
    throw new InvalidArgumentError(`It is a whole number, at most ${most}.`);
  };
}
