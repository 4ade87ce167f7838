/** An account as Redis holds it: one text, its version first, amounts in decimal digits. */
import { Buffer } from 'node:buffer';
import { limitsBytes } from '../../../log/limits-of.js';
import { accountState } from '../account-state.js';
import type { BalanceRow } from '../view.js';

/**
 * The version comes first: lua/apply.lua.ts compares it. None of the parts holds a space. The limits come last, in base64, if the
 * account has any.
 */
export function rowText({ state, position }: BalanceRow): string {
  const { version, type, currency, status, freezeScope, overdraftLimit, credits, debits, held } = state;
  return (
    `${String(version)} ${String(position)} ${String(type)} ${currency} ${String(status)} ${String(freezeScope)} ` +
    `${String(overdraftLimit)} ${String(credits)} ${String(debits)} ${String(held)}${limitsPart(state)}`
  );
}

function limitsPart({ limits }: BalanceRow['state']): string {
  const bytes = limitsBytes(limits);
  return bytes === undefined ? '' : ` ${Buffer.from(bytes).toString('base64')}`;
}

type Parts = readonly [
  version: string,
  position: string,
  type: string,
  currency: string,
  status: string,
  freezeScope: string,
  overdraftLimit: string,
  credits: string,
  debits: string,
  held: string,
  ...limits: readonly string[],
];

/** Where the limits are, behind the parts that every row has. */
const LIMITS = 10;

/** @throws Error on a text that is no row: the store was written by something else. */
export function rowOfText(accountId: string, text: string): BalanceRow {
  const parts = text.split(' ');
  if (!isWhole(parts)) throw new Error(`what Redis holds of account ${accountId} is not a row: ${text}`);
  const [version, position, type, currency, status, freezeScope, overdraftLimit, credits, debits, held] =
    parts;
  const state = accountState(accountId, {
    type,
    currency,
    status,
    freezeScope,
    overdraftLimit,
    credits,
    debits,
    held,
    version,
    limits: parts[LIMITS] === undefined ? null : Buffer.from(parts[LIMITS], 'base64'),
  });
  return { state, position: BigInt(position) };
}

function isWhole(parts: readonly string[]): parts is Parts {
  return parts.length === LIMITS || parts.length === LIMITS + 1;
}
