/** The logs that the suite applies to a view, and what the naive model makes of them. */
import { expect, test } from '@jest/globals';
import { clone } from '@bufbuild/protobuf';
import { TransactionKind, TransactionStatus } from '../../../../gen/quittance/common/v1/transaction_pb.js';
import { EventSchema } from '../../../../gen/quittance/event/v1/event_pb.js';
import type { RecordedEvent } from '../../../log/recorded-event.js';
import { LEDGERS, Scenario } from './scenario.js';
import { NaiveHistory } from './naive-history.js';

/** Of a log that is to have everything. */
export const COMMANDS = 300;

export const scenario = (seed: number, commands: number) => new Scenario(seed).grow(commands).fixture;

export function naive(events: readonly RecordedEvent[], through?: bigint): NaiveHistory {
  return new NaiveHistory(events.filter(({ position }) => through === undefined || position <= through));
}

/**
 * What is not in the logs is not tested: this says so when a change of the domain or of the builder leaves
 * something out.
 */
export function theLogsAreRich(): void {
  test('the logs of this suite have every kind of event and of transaction, and every end of one', () => {
    const { events } = scenario(6, COMMANDS);
    const transactions = LEDGERS.flatMap((ledgerId) => naive(events).allTransactions(ledgerId));
    const all = (values: Record<string, string | number>) =>
      Object.values(values).filter((value) => typeof value === 'number' && value > 0);
    expect(new Set(transactions.map(({ kind }) => kind))).toEqual(new Set(all(TransactionKind)));
    expect(new Set(transactions.map(({ status }) => status))).toEqual(new Set(all(TransactionStatus)));
    const cases = new Set(
      EventSchema.oneofs
        .flatMap(({ name, fields }) => (name === 'payload' ? fields : []))
        .map(({ localName }) => localName),
    );
    cases.delete('epochStarted');
    // Not written any more, and seen by no view.
    cases.delete('ledgerCreated');
    expect(new Set(events.map(({ event }) => event.payload.case))).toEqual(cases);
    expect(transactions.some(({ reversedByTransactionId }) => reversedByTransactionId !== '')).toBe(true);
    expect(transactions.some(({ payment }) => (payment?.refunded ?? 0n) > 0n)).toBe(true);
  });
}

/** The event as a newer program would write it. */
export function aliens(recorded: RecordedEvent): RecordedEvent[] {
  const postedOf = ({ payload }: RecordedEvent['event']) => {
    if (payload.case !== 'transactionPosted') throw new Error('not a posted transaction');
    return payload.value;
  };
  const unknown = 99;
  const changes: ((event: RecordedEvent['event']) => void)[] = [
    (event) => (event.payload = { case: undefined }),
    (event) => Object.assign(event, { commandType: unknown }),
    (event) => Object.assign(postedOf(event), { kind: unknown }),
    (event) => Object.assign(postedOf(event).accounts[0] ?? {}, { status: unknown }),
    (event) => Object.assign(postedOf(event).accounts[0] ?? {}, { type: unknown }),
    (event) => Object.assign(postedOf(event).entries[0] ?? {}, { direction: unknown }),
  ];
  return changes.map((change) => {
    const event = clone(EventSchema, recorded.event);
    change(event);
    return { ...recorded, event };
  });
}
