/** Statements of accounts. */
import { expect, test } from '@jest/globals';
import type { EntryRow, StatementKey, StatementQuery } from '../view.js';
import { type FreshView, plain } from './reading.js';
import { COMMANDS, naive, scenario } from './logs.js';
import { seeded } from './scenario.js';
import { randomStatementQuery } from './random-listings.js';
import { statementQuery } from './listings.js';

export function readsOfStatements(freshView: FreshView): void {
  test('a statement runs from its opening to its closing balance, whatever its basis, range, position and pages', async () => {
    const view = await freshView();
    const fixture = scenario(10, COMMANDS);
    await view.apply(fixture.batch());
    const history = naive(fixture.events);
    const random = seeded(10);
    for (let n = 0; n < 80; n++) {
      const query = randomStatementQuery(random, fixture.events);
      let after: StatementKey | null = null;
      for (;;) {
        const page: StatementQuery = { ...query, after };
        const { value } = await view.statement(page);
        const expected = history.statement(page);
        expect(value && { ...value, lines: value.lines.map(plain) }).toEqual(
          expected && { ...expected, lines: expected.lines.map(plain) },
        );
        const last: EntryRow | undefined = value?.lines.at(-1);
        if (last === undefined) break;
        const time = query.basis === 'effective' ? last.effectiveTime : last.recordedTime;
        after = { time, position: last.position, index: last.entry.index };
      }
    }
  });

  test('a statement before its account was opened is not there', async () => {
    const view = await freshView();
    const fixture = scenario(11, 20);
    await view.apply(fixture.batch());
    const opened = naive(fixture.events).openedAt('main', 'shop');
    const query = statementQuery('main', 'shop');
    expect((await view.statement({ ...query, through: opened - 1n })).value).toBeUndefined();
    expect((await view.statement({ ...query, through: opened })).value).toMatchObject({
      opening: 0n,
      closing: 0n,
    });
    expect((await view.statement(statementQuery('main', 'nobody'))).value).toBeUndefined();
  });
}
