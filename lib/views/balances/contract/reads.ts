/** Look-ups are exact, and as of one position. */
import { expect, test } from '@jest/globals';
import { LedgerFixture } from '../../../../test/ledger-fixture.js';
import { accountsChangedBy } from '../../../log/account-of.js';
import { emptyCheckpoint } from '../../view.js';
import type { BalancesView } from '../view.js';
import { accountKey, contentOf } from '../fold.js';
import {
  allRows,
  busyLedger,
  createLedger,
  expectedRows,
  lastStates,
  openAccount,
} from './naive-balances.js';

export function readsAreExact(freshView: () => Promise<BalancesView>): void {
  test('a view that has seen nothing has no accounts and the empty checkpoint', async () => {
    const view = await freshView();
    expect(await view.balances(0, 'main', ['alice'])).toEqual({
      value: [undefined],
      asOf: emptyCheckpoint(0),
    });
    expect(await view.checkpoint(0)).toEqual(emptyCheckpoint(0));
  });

  test('rows come in the order asked for, with gaps for accounts that do not exist in that ledger', async () => {
    const view = await freshView();
    const fixture = busyLedger();
    await view.apply(fixture.batch());
    const { value, asOf } = await view.balances(0, 'main', ['nobody', 'bob', 'other-alice', 'alice']);
    expect(value.map((row) => row?.state.accountId)).toEqual([undefined, 'bob', undefined, 'alice']);
    const last = fixture.events.at(-1)?.position ?? 0n;
    expect(asOf).toEqual({ partition: 0, offset: last, ...fixture.point(last) });
    const states = lastStates(fixture.events);
    expect(value[3]).toEqual(states.get(accountKey('main', 'alice')));
  });

  test('many readers at once each get their own rows', async () => {
    const view = await freshView();
    const fixture = busyLedger();
    await view.apply(fixture.batch());
    const asked = ['alice', 'bob', 'nobody', '@settlement:EUR'].flatMap((id) => Array<string>(50).fill(id));
    const reads = await Promise.all(asked.map((id) => view.balances(0, 'main', [id])));
    expect(reads.map(({ value }) => value[0]?.state.accountId)).toEqual(
      asked.map((id) => (id === 'nobody' ? undefined : id)),
    );
  });

  test('1,000 accounts are one read', async () => {
    const view = await freshView();
    const fixture = new LedgerFixture();
    fixture.run(createLedger(1));
    const ids = Array.from({ length: 1000 }, (_, index) => `account-${String(index)}`);
    ids.forEach((id, index) => fixture.run(openAccount(2 + index, 'main', id)));
    await view.apply(fixture.batch());
    const { value } = await view.balances(0, 'main', ids);
    expect(value.map((row) => row?.state.accountId)).toEqual(ids);
    expect(await allRows(view, 300)).toEqual(expectedRows(fixture.events));
  });

  test('every state read is one that the account had, never older than one read before', async () => {
    const view = await freshView();
    const fixture = busyLedger(40);
    const states = new Map<string, string>();
    for (const { position, event } of fixture.events) {
      for (const state of accountsChangedBy(event)) {
        const key = `${event.ledgerId} ${state.accountId} ${String(state.version)}`;
        states.set(key, contentOf({ state, position }));
      }
    }
    let applying = true;
    const seen = new Map<string, bigint>();
    const reader = async () => {
      while (applying) {
        const { value, asOf } = await view.balances(0, 'main', ['alice', 'bob']);
        for (const row of value) {
          if (row === undefined) continue;
          const { accountId, version } = row.state;
          expect(contentOf(row)).toBe(states.get(`main ${accountId} ${String(version)}`));
          expect(version).toBeGreaterThanOrEqual(seen.get(accountId) ?? 0n);
          expect(row.position).toBeLessThanOrEqual(asOf.position);
          seen.set(accountId, version);
        }
      }
    };
    const reading = [reader(), reader()];
    for (const { position } of fixture.events) await view.apply(fixture.batch(position, position));
    applying = false;
    await Promise.all(reading);
    expect(await allRows(view)).toEqual(expectedRows(fixture.events));
  });
}
