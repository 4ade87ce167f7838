/**
 * Folds events into each account's last state, so that a hot account is written once for a thousand changes.
 */
import { accountsChangedBy } from '../../log/account-of.js';
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
 * The last state of each account that the events changed, sorted by key so that writers lock rows in one
 * order. Events may come in any order and more than once: the greatest version wins.
 */
export function latestStates(events: readonly RecordedEvent[]): LedgerBalanceRow[] {
  const latest = new Map<string, LedgerBalanceRow>();
  for (const { position, event } of events) {
    for (const state of accountsChangedBy(event)) {
      const key = accountKey(event.ledgerId, state.accountId);
      const known = latest.get(key);
      if (known === undefined || known.state.version < state.version) {
        latest.set(key, { ledgerId: event.ledgerId, state, position });
      }
    }
  }
  return [...latest].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, row]) => row);
}

/** All that a row says, as canonical text. */
export function contentOf({ state }: BalanceRow): string {
  return JSON.stringify([
    state.type,
    state.currency,
    state.status,
    state.freezeScope,
    ...[state.overdraftLimit, state.credits, state.debits, state.held, state.version].map(String),
  ]);
}
