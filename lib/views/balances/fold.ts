/**
 * Folds events into each account's last state, so that a hot account is written once for a thousand changes.
 */
import { accountsChangedBy } from '../../log/account-of.js';
import { limitsText } from '../../log/limits-of.js';
import type { RecordedEvent } from '../../log/recorded-event.js';
import type { BalanceRow } from './view.js';

/** A row with the ledger it is of. */
export interface LedgerBalanceRow extends BalanceRow {
  readonly ledgerId: string;
}

/**
 * The key of an account over all ledgers. A space sorts before every character of an id, so that keys sort by
 * code units as (ledger, account) do.
 */
export function accountKey(ledgerId: string, accountId: string): string {
  return `${ledgerId} ${accountId}`;
}

/** The parts of an account's key. */
export function partsOfAccountKey(key: string): readonly [ledgerId: string, accountId: string] {
  const space = key.indexOf(' ');
  return space < 0 ? [key, ''] : [key.slice(0, space), key.slice(space + 1)];
}

/**
 * The last state of each account that the events changed. Events may come in any order and more than once:
 * the greatest version wins.
 */
export function changedAccounts(events: readonly RecordedEvent[]): LedgerBalanceRow[] {
  const ledgers = new Map<string, Map<string, LedgerBalanceRow>>();
  for (const { position, event } of events) {
    const { ledgerId } = event;
    for (const state of accountsChangedBy(event)) {
      let accounts = ledgers.get(ledgerId);
      if (accounts === undefined) ledgers.set(ledgerId, (accounts = new Map<string, LedgerBalanceRow>()));
      const known = accounts.get(state.accountId);
      if (known === undefined || known.state.version < state.version) {
        accounts.set(state.accountId, { ledgerId, state, position });
      }
    }
  }
  return [...ledgers.values()].flatMap((accounts) => [...accounts.values()]);
}

/** The same, sorted by key so that writers lock rows in one order. */
export function latestStates(events: readonly RecordedEvent[]): LedgerBalanceRow[] {
  return changedAccounts(events)
    .map((row) => ({ row, key: accountKey(row.ledgerId, row.state.accountId) }))
    .sort((one, other) => (one.key < other.key ? -1 : 1))
    .map(({ row }) => row);
}

/** All that a row says, as canonical text. */
export function contentOf({ state }: BalanceRow): string {
  return JSON.stringify([
    state.type,
    state.currency,
    state.status,
    state.freezeScope,
    ...[state.overdraftLimit, state.credits, state.debits, state.held, state.version].map(String),
    limitsText(state.limits),
  ]);
}
