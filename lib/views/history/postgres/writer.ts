/** What a batch of events writes to the history view in PostgreSQL. */
import { Buffer } from 'node:buffer';
import { toBinary } from '@bufbuild/protobuf';
import { type Ledger, LedgerSchema } from '../../../../gen/quittance/common/v1/transaction_pb.js';
import { AccountProfileSchema } from '../../../../gen/quittance/event/v1/event_pb.js';
import type { PoolClient } from '../../../log/postgres-client.js';
import { byteaArray, int2Array, int8Array, textArray } from '../../../log/postgres-arrays.js';
import type { RecordedEvent } from '../../../log/recorded-event.js';
import type { TableWrite } from '../../stores/postgres/table-write.js';
import type { AccountFact } from '../fold.js';
import { AccountKeys } from './account-keys.js';
import {
  type ChangeColumns,
  HistoryBatch,
  type LineColumns,
  type NamedColumns,
  type TransactionColumns,
} from './batch.js';
import { type HistoryStatements, historyStatements } from './sql/write.sql.js';

/** Of one generation. */
export class HistoryWriter {
  readonly #schema: string;
  readonly #statements: HistoryStatements;
  /** Replaced when it is forgotten: a batch under way goes on with the one that it began with. */
  #keys = new AccountKeys();

  constructor(schema: string) {
    this.#schema = schema;
    this.#statements = historyStatements(schema);
  }

  /** Forgets what is in memory: the database may have gone back behind it. */
  reset(): void {
    this.#keys = new AccountKeys();
  }

  /**
   * What events beyond the checkpoint write; each is written for the first time. Keys of ledgers and accounts
   * that are not in memory are read before.
   */
  async writesOf(
    events: readonly RecordedEvent[],
    client: PoolClient,
    partition: number,
  ): Promise<readonly TableWrite[]> {
    const keys = this.#keys;
    let batch = new HistoryBatch(events, keys);
    if (batch.missing.size > 0) {
      await batch.missing.load(client, this.#schema, keys);
      batch = new HistoryBatch(events, keys);
      if (batch.missing.size > 0) throw new Error('a batch names more accounts than are kept in memory');
    }
    return writesOf(this.#statements, partition, batch);
  }
}

function writesOf(statements: HistoryStatements, partition: number, batch: HistoryBatch): TableWrite[] {
  const { ledgers, accounts, lines, transactions, changes, named } = batch;
  const opened = accounts.filter((account) => account.opened !== undefined);
  const changed = accounts.filter((account) => account.opened === undefined);
  return [
    { statement: statements.ledgers, count: ledgers.length, values: [partition, ...ledgerValues(ledgers)] },
    { statement: statements.opened, count: opened.length, values: openedValues(opened) },
    { statement: statements.changed, count: changed.length, values: changedValues(changed) },
    { statement: statements.lines, count: lines.position.count, values: lineValues(lines) },
    {
      statement: statements.transactions,
      count: transactions.position.count,
      values: transactionValues(transactions),
    },
    { statement: statements.changes, count: changes.position.count, values: changeValues(changes) },
    { statement: statements.named, count: named.position.count, values: namedValues(named) },
  ];
}

function ledgerValues(ledgers: readonly Ledger[]): unknown[] {
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

function lineValues(lines: LineColumns): unknown[] {
  return [
    lines.account.parameter(),
    lines.position.parameter(),
    lines.amount.parameter(),
    lines.credits.parameter(),
    lines.debits.parameter(),
    lines.version.parameter(),
    lines.effectiveTime.parameter(),
    lines.held.parameter(),
    lines.overdraftLimit.parameter(),
    lines.entry.parameter(),
    lines.limits.parameter(),
  ];
}

function transactionValues(transactions: TransactionColumns): unknown[] {
  return [
    transactions.position.parameter(),
    transactions.recordedTime.parameter(),
    transactions.ledger.parameter(),
    transactions.effectiveTime.parameter(),
    transactions.kind.parameter(),
    transactions.transactionId.parameter(),
    transactions.paymentId.parameter(),
    transactions.reference.parameter(),
    transactions.event.parameter(),
  ];
}

function changeValues(changes: ChangeColumns): unknown[] {
  return [
    changes.position.parameter(),
    changes.ledger.parameter(),
    changes.transactionId.parameter(),
    changes.version.parameter(),
    changes.changedPosition.parameter(),
    changes.expireTime.parameter(),
    changes.status.parameter(),
    changes.change.parameter(),
  ];
}

function namedValues({ account, position, effectiveTime }: NamedColumns): unknown[] {
  return [account.parameter(), position.parameter(), effectiveTime.parameter()];
}

/** A caller's text as the tables have it; null where there is none. */
function freeText(value: string | undefined): Buffer | undefined {
  return value === undefined || value === '' ? undefined : Buffer.from(value);
}
