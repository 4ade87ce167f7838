/** Reads while events come in: each is exactly as of one position. */
import { expect, test } from '@jest/globals';
import { AccountSchema } from '../../../../gen/quittance/common/v1/account_pb.js';
import type { EntryKey } from '../view.js';
import { expectMessage, type FreshView, pages, plain } from './reading.js';
import { naive, scenario } from './logs.js';
import { entryListing, holdListing, statementQuery, transactionListing } from './listings.js';

export function readsWhileEventsComeIn(freshView: FreshView): void {
  test('pages that carry a position are as of it, whatever comes in between', async () => {
    const view = await freshView();
    const fixture = scenario(12, 150);
    const last = fixture.events.at(-1)?.position ?? 0n;
    const through = last / 2n;
    await view.apply(fixture.batch(0n, through));
    const history = naive(fixture.events, through);
    let next = through;
    const more = async () => {
      next += 3n;
      if (next <= last) await view.apply(fixture.batch(next - 2n, next));
    };
    const listing = { ...transactionListing('main'), through, limit: 4 };
    const transactions = await pages(
      async (after: bigint | null) => {
        await more();
        return (await view.transactions({ ...listing, after })).value;
      },
      ({ position }) => position,
    );
    expect(transactions.map(({ position }) => position)).toEqual(
      history.allTransactions('main').map(({ position }) => position),
    );
    const lines = { ...entryListing('main'), through, limit: 4 };
    const entries = await pages(
      async (after: EntryKey | null) => {
        await more();
        return (await view.entries({ ...lines, after })).value;
      },
      ({ position, entry }) => ({ position, index: entry.index }),
    );
    expect(entries.map(plain)).toEqual(history.entries({ ...lines, limit: 1000 }).map(plain));
    const query = { ...statementQuery('main', 'alice'), through };
    const statement = (await view.statement(query)).value;
    const expected = history.statement(query);
    expect(statement?.closing).toBe(expected?.closing);
    expect(statement?.lines.map(plain)).toEqual(expected?.lines.map(plain));
    expect(next).toBeGreaterThan(through);
  });

  test('data and position of a read are of one moment', async () => {
    const view = await freshView();
    const fixture = scenario(13, 200);
    let done = false;
    const applying = (async () => {
      for (const { position } of fixture.events) await view.apply(fixture.batch(position, position));
      done = true;
    })();
    const reads = [];
    const holds = [];
    while (!done) {
      reads.push(await view.account(0, 'main', 'alice'));
      holds.push(await view.openHolds(holdListing('main')));
    }
    await applying;
    for (const { value, asOf } of reads) {
      const expected = naive(fixture.events, asOf.position).account('main', 'alice');
      expectMessage(AccountSchema, { value }, { value: expected });
    }
    for (const { value, asOf } of holds) {
      const expected = naive(fixture.events, asOf.position).openHolds(holdListing('main'));
      expect(value.map(({ position }) => position)).toEqual(expected.map(({ position }) => position));
    }
  });
}
