/** An account as Redis holds it: one text, its version first, amounts in decimal digits. */
import { accountState } from '../account-state.js';
import type { BalanceRow } from '../view.js';

/** The version comes first: lua/apply.lua.ts compares it. None of the parts holds a space. */
export function rowText({ state, position }: BalanceRow): string {
  const { version, type, currency, status, freezeScope, overdraftLimit, credits, debits, held } = state;
  return (
    `${String(version)} ${String(position)} ${String(type)} ${currency} ${String(status)} ${String(freezeScope)} ` +
    `${String(overdraftLimit)} ${String(credits)} ${String(debits)} ${String(held)}`
  );
}

type Parts = [
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
];

const PARTS = 10;

/** @throws Error on a text that is no row: the store was written by something else. */
export function rowOfText(accountId: string, text: string): BalanceRow {
  const parts = text.split(' ');
  if (!isWhole(parts)) throw new Error(`what Redis holds of account ${accountId} is not a row: ${text}`);
  const [version, position, type, currency, status, freezeScope, overdraftLimit, credits, debits, held] =
    parts;
  const figures = { type, currency, status, freezeScope, overdraftLimit, credits, debits, held, version };
  return { state: accountState(accountId, figures), position: BigInt(position) };
}

function isWhole(parts: readonly string[]): parts is Parts {
  return parts.length === PARTS;
}
