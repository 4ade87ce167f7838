/** What a batch of events writes to the history view in PostgreSQL. */
import { Buffer } from 'node:buffer';
import { toBinary } from '@bufbuild/protobuf';
import { LedgerSchema } from '../../../../gen/quittance/common/v1/transaction_pb.js';
import { AccountProfileSchema, TransactionStateSchema } from '../../../../gen/quittance/event/v1/event_pb.js';
import type { RecordedEvent } from '../../../log/recorded-event.js';
import { byteaArray, int2Array, int8Array, textArray, uuidArray } from '../../../log/postgres-arrays.js';
import type { TableWrite } from '../../stores/postgres/table-write.js';
import { type AccountFact, historyFacts, type HistoryFacts } from '../fold.js';
import type { HistoryStatements } from './sql/write.sql.js';

/** What the events write; each is written for the first time. */
export function historyWrites(
  statements: HistoryStatements,
  partition: number,
  events: readonly RecordedEvent[],
): TableWrite[] {
  const facts = historyFacts(events);
  const opened = facts.accounts.filter((account) => account.opened !== undefined);
  const changed = facts.accounts.filter((account) => account.opened === undefined);
  const { ledgers, versions, transactions, changes, named, entries } = facts;
  return [
    { statement: statements.ledgers, count: ledgers.length, values: [partition, ...ledgerValues(facts)] },
    { statement: statements.opened, count: opened.length, values: openedValues(opened) },
    { statement: statements.changed, count: changed.length, values: changedValues(changed) },
    { statement: statements.versions, count: versions.length, values: versionValues(facts) },
    { statement: statements.transactions, count: transactions.length, values: transactionValues(facts) },
    { statement: statements.changes, count: changes.length, values: changeValues(facts) },
    { statement: statements.named, count: named.length, values: namedValues(facts) },
    { statement: statements.entries, count: entries.length, values: entryValues(facts) },
  ];
}

function ledgerValues({ ledgers }: HistoryFacts): unknown[] {
  return [
    textArray(ledgers.map(({ ledgerId }) => ledgerId)),
    int8Array(ledgers.map(({ position }) => position)),
    byteaArray(ledgers.map((ledger) => toBinary(LedgerSchema, ledger))),
  ];
}

function openedValues(accounts: readonly AccountFact[]): unknown[] {
  return [
    textArray(accounts.map(({ ledgerId }) => ledgerId)),
    textArray(accounts.map(({ accountId }) => accountId)),
    int8Array(accounts.map(({ opened }) => opened?.position ?? 0n)),
    int8Array(accounts.map(({ opened }) => opened?.recordedTime ?? 0n)),
    int8Array(accounts.map(({ position }) => position)),
    int2Array(accounts.map(({ state }) => state.type)),
    int2Array(accounts.map(({ state }) => state.status)),
    int2Array(accounts.map(({ state }) => state.freezeScope)),
    textArray(accounts.map(({ state }) => state.currency)),
    byteaArray(accounts.map(({ profile }) => freeText(profile?.ownerReference))),
    byteaArray(accounts.map(profileBytes)),
  ];
}

function changedValues(accounts: readonly AccountFact[]): unknown[] {
  return [
    textArray(accounts.map(({ ledgerId }) => ledgerId)),
    textArray(accounts.map(({ accountId }) => accountId)),
    int8Array(accounts.map(({ position }) => position)),
    int2Array(accounts.map(({ state }) => state.status)),
    int2Array(accounts.map(({ state }) => state.freezeScope)),
    byteaArray(accounts.map(({ profile }) => freeText(profile?.ownerReference))),
    byteaArray(accounts.map(profileBytes)),
  ];
}

function profileBytes({ profile }: AccountFact): Uint8Array | undefined {
  return profile === undefined ? undefined : toBinary(AccountProfileSchema, profile);
}

function versionValues({ versions }: HistoryFacts): unknown[] {
  return [
    textArray(versions.map(({ ledgerId }) => ledgerId)),
    textArray(versions.map(({ state }) => state.accountId)),
    int8Array(versions.map(({ position }) => position)),
    int8Array(versions.map(({ state }) => state.version)),
    int8Array(versions.map(({ state }) => state.credits)),
    int8Array(versions.map(({ state }) => state.debits)),
    int8Array(versions.map(({ state }) => state.held)),
    int8Array(versions.map(({ state }) => state.overdraftLimit)),
  ];
}

function transactionValues({ transactions }: HistoryFacts): unknown[] {
  return [
    textArray(transactions.map(({ ledgerId }) => ledgerId)),
    int8Array(transactions.map(({ position }) => position)),
    uuidArray(transactions.map(({ transactionId }) => transactionId)),
    int2Array(transactions.map(({ kind }) => kind)),
    int2Array(transactions.map(({ status }) => status)),
    byteaArray(transactions.map(({ reference }) => freeText(reference))),
    uuidArray(transactions.map(({ paymentId }) => paymentId)),
    int8Array(transactions.map(({ effectiveTime }) => effectiveTime)),
    int8Array(transactions.map(({ recordedTime }) => recordedTime)),
    int8Array(transactions.map(({ version }) => version)),
    int8Array(transactions.map(({ changedPosition }) => changedPosition)),
    byteaArray(transactions.map(({ bytes }) => bytes)),
    byteaArray(
      transactions.map(({ change }) =>
        change === undefined ? undefined : toBinary(TransactionStateSchema, change),
      ),
    ),
  ];
}

function changeValues({ changes }: HistoryFacts): unknown[] {
  return [
    textArray(changes.map(({ ledgerId }) => ledgerId)),
    uuidArray(changes.map(({ state }) => state.transactionId)),
    int2Array(changes.map(({ state }) => state.status)),
    int8Array(changes.map(({ state }) => state.version)),
    int8Array(changes.map(({ position }) => position)),
    byteaArray(changes.map(({ state }) => toBinary(TransactionStateSchema, state))),
  ];
}

function namedValues({ named }: HistoryFacts): unknown[] {
  return [
    textArray(named.map(({ ledgerId }) => ledgerId)),
    textArray(named.map(({ accountId }) => accountId)),
    int8Array(named.map(({ position }) => position)),
    int8Array(named.map(({ effectiveTime }) => effectiveTime)),
    int2Array(named.map(({ changed }) => (changed ? 1 : 0))),
  ];
}

function entryValues({ entries }: HistoryFacts): unknown[] {
  return [
    textArray(entries.map(({ ledgerId }) => ledgerId)),
    int8Array(entries.map(({ position }) => position)),
    int2Array(entries.map(({ index }) => index)),
    textArray(entries.map(({ accountId }) => accountId)),
    int2Array(entries.map(({ direction }) => direction)),
    int8Array(entries.map(({ amount }) => amount)),
    int8Array(entries.map(({ version }) => version)),
    int8Array(entries.map(({ postedAfter }) => postedAfter)),
    int8Array(entries.map(({ effectiveTime }) => effectiveTime)),
  ];
}

/** A caller's text as the tables have it; null where there is none. */
export function freeText(value: string | undefined): Buffer | undefined {
  return value === undefined || value === '' ? undefined : Buffer.from(value);
}
