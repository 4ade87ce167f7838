/** The command line of `npm run import`. */
import { parseArgs } from 'node:util';

/** What the operator asked for. */
export interface ImportOptions {
  readonly file: string;
  readonly ledgerId: string;
  readonly currency: string;
  /** `host:port` of the gRPC door. */
  readonly address: string;
  readonly withCounterparty: boolean;
  /** For how long to try again when the server is away, without any progress. */
  readonly patience_ms: number;
}

/** A command line that cannot be followed; the message is for people. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

export const HELP = `Usage: npm run import -- FILE --ledger LEDGER --currency CUR [options]

Streams a CSV of account movements into a ledger, in order, and compares the balance that the file prints after each row
with the account's posted balance in the row's own answer.

  --ledger LEDGER        the ledger; it is created if it does not exist
  --currency CUR         ISO 4217 code of all amounts
  --address HOST:PORT    the gRPC door (default localhost:50051)
  --with-counterparty    keep the counterparty in the metadata; it may be personal data, which cannot be erased
  --patience SECONDS     how long to try again while the server is away (default 60)
  --help                 this text

The first line names the columns, in any order; columns that are not listed here are ignored:
  movement_id            unique; a second run with the same ids resumes and replays, it books nothing twice
  account_id             the account: letters, digits and _.:- , at most 128 characters
  booked_on              YYYY-MM-DD; becomes the effective_time at 00:00Z
  kind                   such as cash_deposit; kept as metadata (may be empty)
  purpose                such as pension; kept as metadata (may be empty)
  amount_minor           signed, in minor units: above zero Deposit, below zero Withdraw, zero is not sent
  balance_after_minor    the balance printed after the row, in minor units
  counterparty           optional; kept with --with-counterparty only

Two passes: the first creates the ledger and opens each account with overdraft_limit = max(0, -lowest printed balance); the
second sends the movements. Exit code: 0 all balances match, 1 some do not or a row was refused, 2 it could not be finished
(run it again: it resumes).
See docs/import.md.
`;

/** @returns undefined where help was asked for. @throws UsageError */
export function readOptions(args: readonly string[]): ImportOptions | undefined {
  const { values, positionals } = parse(args);
  if (values.help === true) return undefined;
  const [file, ...rest] = positionals;
  if (file === undefined) throw new UsageError('which FILE? See --help');
  if (rest.length > 0) throw new UsageError(`one FILE at a time, not also ${rest.join(' ')}`);
  const { ledger, currency, address, patience } = values;
  if (ledger === undefined) throw new UsageError('--ledger is missing: the ledger to import into');
  if (!/^[A-Za-z0-9][A-Za-z0-9_.:-]{0,127}$/.test(ledger))
    throw new UsageError('--ledger: letters, digits and _.:- , at most 128 characters');
  if (currency === undefined || !/^[A-Z]{3}$/.test(currency))
    throw new UsageError('--currency: an ISO 4217 code such as CZK');
  if (!/^\d{1,5}$/.test(patience)) throw new UsageError('--patience: a number of seconds');
  return {
    file,
    ledgerId: ledger,
    currency,
    address,
    withCounterparty: values['with-counterparty'],
    patience_ms: Number(patience) * 1000,
  };
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        ledger: { type: 'string' },
        currency: { type: 'string' },
        address: { type: 'string', default: 'localhost:50051' },
        'with-counterparty': { type: 'boolean', default: false },
        patience: { type: 'string', default: '60' },
        help: { type: 'boolean', short: 'h' },
      },
    });
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}
