/** That the fold finds what a close states wrongly, and what was posted into a closed period. */
import { clone } from '@bufbuild/protobuf';
import { expect, test } from '@jest/globals';
import { type Event, EventSchema, type PeriodClosed } from '../../../gen/quittance/event/v1/event_pb.js';
import { timestampOf } from '../../../lib/base/time.js';
import { FIXTURE_START, LedgerFixture, testId } from '../../../test/ledger-fixture.js';
import { madeBy } from './made-by.js';
import { PeriodFold } from './periods.js';

const END = FIXTURE_START - 1_000n;
const ledgerId = 'main';

/** Two deposits, one of them in the period, its close, a reopening, and the next close. */
function events(): readonly Event[] {
  const fixture = new LedgerFixture();
  let next = 0;
  const base = () => ({ ledgerId, requestId: testId((next += 1)) });
  const deposit = (time: bigint) =>
    fixture.run({
      case: 'deposit',
      value: {
        ...base(),
        accountId: 'alice',
        amount: { currency: 'EUR', minorUnits: 9n },
        effectiveTime: timestampOf(time),
      },
    });
  fixture.run({ case: 'createLedger', value: base() });
  fixture.run({ case: 'openAccount', value: { ...base(), accountId: 'alice', currency: 'EUR' } });
  deposit(END);
  deposit(END + 1n);
  fixture.run({ case: 'closePeriod', value: { ...base(), closedThrough: timestampOf(END) } });
  deposit(END + 2n);
  fixture.run({ case: 'reopenPeriod', value: { ...base(), reason: 'late' } });
  deposit(END - 1n);
  fixture.run({ case: 'closePeriod', value: { ...base(), closedThrough: timestampOf(END + 2n) } });
  return fixture.events.map(({ event }) => clone(EventSchema, event));
}

/** What the fold complains of. */
function findingsOf(log: readonly Event[], ends = [END, END + 2n]): string[] {
  const found: string[] = [];
  const fold = new PeriodFold(ends);
  for (const event of log) {
    const complain = (entity: string, expected: string, actual: string) => {
      found.push(`${String(event.position)} ${entity}: ${expected}, not ${actual}`);
    };
    const made = madeBy({ position: event.position, event });
    if (made !== undefined) fold.made(made, complain);
    fold.apply(event, complain);
  }
  return found;
}

/** The log with its first close changed. */
function changed(change: (closed: PeriodClosed) => void): readonly Event[] {
  const log = events();
  const payload = log.find((event) => event.payload.case === 'periodClosed')?.payload;
  if (payload?.case !== 'periodClosed') throw new Error('the log has a close');
  change(payload.value);
  return log;
}

test('closes that state what the entries come to are right', () => {
  const log = events();
  expect(findingsOf(log)).toEqual([]);
  const stated = log.flatMap(({ payload }) =>
    payload.case === 'periodClosed' ? [payload.value.totals] : [],
  );
  expect(stated.map((totals) => totals.map(({ debits, credits }) => [debits, credits]))).toEqual([
    [
      ['0', '9'],
      ['9', '0'],
    ],
    [
      ['0', '36'],
      ['36', '0'],
    ],
  ]);
});

test('a wrong sum, a row too many, a row too few, a wrong count and a wrong hash are found', () => {
  const sums = changed(({ totals: [first] }) => {
    if (first !== undefined) first.credits = '8';
  });
  expect(findingsOf(sums)).toEqual(['6 trial balance: EUR 1 0 9, not EUR 1 0 8']);
  const fewer = changed(({ totals }) => totals.pop());
  expect(findingsOf(fewer)).toEqual(['6 trial balance: EUR 2 9 0, not no row']);
  const more = changed(({ totals }) => {
    const [first] = totals;
    if (first !== undefined) totals.push(first);
  });
  expect(findingsOf(more)).toEqual(['6 trial balance: no row, not EUR 1 0 9']);
  expect(findingsOf(changed((closed) => (closed.totalCount = 3)))).toEqual(['6 total_count: 2, not 3']);
  const hash = changed((closed) => (closed.totalsHash = new Uint8Array(32)));
  expect(findingsOf(hash)).toEqual([expect.stringMatching(/^6 totals_hash: [0-9a-f]{64}, not 0{64}$/)]);
});

test('a close up to another time than was asked for is found, and what was posted into it', () => {
  const further = changed((closed) => (closed.closedThroughMicros = END + 2n));
  const found = findingsOf(further).map((finding) => finding.replace(/:.*/, ''));
  expect(found).toContain('6 closed_through');
  expect(found).toContain('7 effective_time');
});

test('a close that the stream of the periods does not name is found by its sums', () => {
  expect(findingsOf(events(), [END + 2n])).not.toEqual([]);
});
