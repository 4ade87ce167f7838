/** An account as Redis holds it: one text, its version first, amounts in decimal digits. */
import { create } from '@bufbuild/protobuf';
import type { AccountStatus, AccountType, FreezeScope } from '../../../gen/quittance/common/v1/account_pb.js';
import { AccountStateSchema } from '../../../gen/quittance/event/v1/event_pb.js';
import type { BalanceRow } from './view.js';

/** The version comes first: lua/apply.lua.ts compares it. None of the parts holds a space. */
export function rowText({ state, position }: BalanceRow): string {
  const { version, type, currency, status, freezeScope, overdraftLimit, credits, debits, held } = state;
  return (
    `${String(version)} ${String(position)} ${String(type)} ${currency} ${String(status)} ${String(freezeScope)} ` +
    `${String(overdraftLimit)} ${String(credits)} ${String(debits)} ${String(held)}`
  );
}

type Parts = [
  ...[version: string, position: string, type: string, currency: string, status: string, freezeScope: string],
  ...[overdraftLimit: string, credits: string, debits: string, held: string],
];

const PARTS = 10;

/** @throws Error on a text that is no row: the store was written by something else. */
export function rowOfText(accountId: string, text: string): BalanceRow {
  const parts = text.split(' ');
  if (!isWhole(parts)) throw new Error(`what Redis holds of account ${accountId} is not a row: ${text}`);
  const [version, position, type, currency, status, freezeScope, overdraftLimit, credits, debits, held] =
    parts;
  const state = create(AccountStateSchema);
  state.accountId = accountId;
  state.type = numberOf(type) as AccountType;
  state.currency = currency;
  state.status = numberOf(status) as AccountStatus;
  state.freezeScope = numberOf(freezeScope) as FreezeScope;
  state.overdraftLimit = BigInt(overdraftLimit);
  state.credits = BigInt(credits);
  state.debits = BigInt(debits);
  state.held = BigInt(held);
  state.version = BigInt(version);
  return { state, position: BigInt(position) };
}

function isWhole(parts: readonly string[]): parts is Parts {
  return parts.length === PARTS;
}

/** Of an enum: what the writer wrote, who lets only known values pass. */
function numberOf(text: string): unknown {
  return Number(text);
}
