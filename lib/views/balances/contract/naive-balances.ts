/** The log that the suite applies, and its own simple model of what a view holds after it. */
import { clone } from '@bufbuild/protobuf';
import { type Event, EventSchema } from '../../../../gen/quittance/event/v1/event_pb.js';
import { type CommandInit, LedgerFixture, testId } from '../../../../test/ledger-fixture.js';
import type { RecordedEvent } from '../../../log/recorded-event.js';
import { accountsChangedBy } from '../../../log/account-of.js';
import type { ViewRow } from '../../view.js';
import type { BalanceRow, BalancesView } from '../view.js';
import { accountKey, contentOf } from '../fold.js';

export function createLedger(id: number, ledgerId = 'main'): CommandInit {
  return { case: 'createLedger', value: { ledgerId, requestId: testId(id) } };
}

export function openAccount(id: number, ledgerId: string, accountId: string): CommandInit {
  return { case: 'openAccount', value: { ledgerId, accountId, requestId: testId(id), currency: 'EUR' } };
}

/** Two ledgers whose ids are prefixes of each other's accounts, with every kind of change of an account. */
export function busyLedger(payments = 3): LedgerFixture {
  const fixture = new LedgerFixture();
  let id = 0;
  const next = () => testId(++id);
  for (const ledgerId of ['main', 'main-2', 'other']) {
    fixture.run(createLedger(++id, ledgerId));
    fixture.run(openAccount(++id, ledgerId, 'alice'));
    fixture.run(openAccount(++id, ledgerId, 'bob'));
    const amount = { currency: 'EUR', minorUnits: 100_000n };
    fixture.run({ case: 'deposit', value: { ledgerId, requestId: next(), accountId: 'alice', amount } });
  }
  const ledgerId = 'main';
  const limits = {
    balance: 200_000n,
    day: { amount: 50_000n },
    week: { count: 9_000n },
    timeZone: 'Asia/Tokyo',
  };
  const limited = { ledgerId, accountId: 'alice', updateMask: { paths: ['limits'] }, limits };
  fixture.run({ case: 'updateAccount', value: { ...limited, requestId: next() } });
  const parties = { ledgerId, payerAccountId: 'alice', payeeAccountId: 'bob' };
  for (let index = 0; index < payments; index++) {
    const amount = { currency: 'EUR', minorUnits: BigInt(10 + index) };
    fixture.run({ case: 'submitPayment', value: { ...parties, requestId: next(), amount } });
    const paymentId = next();
    fixture.run({ case: 'authorizePayment', value: { ...parties, requestId: paymentId, amount } });
    const more = { currency: 'EUR', minorUnits: BigInt(20 + index) };
    fixture.run({
      case: 'adjustAuthorization',
      value: { ledgerId, requestId: next(), paymentId, amount: more },
    });
    if (index % 2 === 0) {
      fixture.run({ case: 'voidPayment', value: { ledgerId, requestId: next(), paymentId } });
    }
    const huge = { currency: 'EUR', minorUnits: 1_000_000_000n };
    fixture.run({ case: 'withdraw', value: { ledgerId, requestId: next(), accountId: 'bob', amount: huge } });
  }
  fixture.run({ case: 'freezeAccount', value: { ledgerId, requestId: next(), accountId: 'bob' } });
  return fixture;
}

/** The second opinion: the last state of each account by the order of the log. */
export function lastStates(events: readonly RecordedEvent[]): Map<string, BalanceRow> {
  const states = new Map<string, BalanceRow>();
  for (const { position, event } of events) {
    for (const state of accountsChangedBy(event)) {
      states.set(accountKey(event.ledgerId, state.accountId), { state, position });
    }
  }
  return states;
}

export function expectedRows(events: readonly RecordedEvent[]): ViewRow[] {
  return [...lastStates(events)]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, row]) => ({ key, position: row.position, content: contentOf(row) }));
}

export async function allRows(
  view: BalancesView,
  limit = 1000,
  ledgerId: string | null = null,
): Promise<ViewRow[]> {
  const rows: ViewRow[] = [];
  for (;;) {
    const page = await view.rows({ ledgerId, afterKey: rows.at(-1)?.key ?? null, limit });
    rows.push(...page);
    if (page.length < limit) return rows;
  }
}

function changed(record: RecordedEvent, change: (event: Event) => void): RecordedEvent {
  const event = clone(EventSchema, record.event);
  change(event);
  return { ...record, event };
}

export function withoutPayload(record: RecordedEvent): RecordedEvent {
  return changed(record, (event) => {
    event.payload = { case: undefined };
  });
}

export function withUnknownStatus(record: RecordedEvent): RecordedEvent {
  return changed(record, (event) => {
    for (const state of accountsChangedBy(event)) Object.assign(state, { status: 99 });
  });
}
