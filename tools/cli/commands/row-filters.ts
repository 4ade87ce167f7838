/** Filters of lists by amount, caller and metadata: `--min 25.00 --currency EUR`, `--metadata order=17`. */
import { UsageError } from '../../../lib/process/command-line.js';
import { readAmount } from '../amounts.js';
import { type FlagValues, pair, repeated, text, toggle } from '../flags.js';
import type { Session } from '../session.js';

interface MetadataAsked {
  readonly key: string;
  readonly value?: string;
}

export const METADATA_FLAG = {
  metadata: repeated('key', 'only with this in the metadata: KEY, or KEY=VALUE', readMetadata),
};

export const ROW_FLAGS = {
  currency: text('code', 'only of this currency'),
  min: text('amount', 'only of at least this amount of the currency'),
  max: text('amount', 'only of at most this amount of the currency'),
  actor: text('actor', 'only of commands that this caller sent'),
  forced: toggle('only what skipped funds and freezes'),
  ...METADATA_FLAG,
};

/** The fields of a list's request. */
export async function rowFiltersOf(session: Session, flags: FlagValues<typeof ROW_FLAGS>) {
  const { currency = '', min, max, actor = '', forced = false, metadata = [] } = flags;
  return {
    currency,
    actor,
    forced,
    metadata: [...metadata],
    minAmount: await unitsOf(session, '--min', min, currency),
    maxAmount: await unitsOf(session, '--max', max, currency),
  };
}

/** The bound of an account's balance, which may be below zero; undefined: none. @throws UsageError */
export async function balanceOf(
  session: Session,
  flag: string,
  typed: string | undefined,
  currency: string,
): Promise<bigint | undefined> {
  if (typed === undefined) return undefined;
  const isNegative = typed.startsWith('-');
  const units = await unitsOf(session, flag, isNegative ? typed.slice(1) : typed, currency);
  return isNegative ? -units : units;
}

/** @throws UsageError for an amount without its currency, which says how many digits it has */
async function unitsOf(
  session: Session,
  flag: string,
  typed: string | undefined,
  currency: string,
): Promise<bigint> {
  if (typed === undefined) return 0n;
  if (currency === '') throw new UsageError(`${flag} needs --currency, such as --currency EUR`);
  return (await readAmount(session, typed, currency)).minorUnits;
}

function readMetadata(typed: string): MetadataAsked {
  if (!typed.includes('=')) return { key: typed };
  const [key, value] = pair(typed);
  return { key, value };
}
