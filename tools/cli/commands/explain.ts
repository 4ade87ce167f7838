/** `quittance explain`: from a number to the entries, the event, the command as sent and the hash. */
import type { JsonValue } from '@bufbuild/protobuf';
import { CommandSchema } from '../../../gen/quittance/command/v1/transaction_command_service_pb.js';
import type { AsOf } from '../../../gen/quittance/common/v1/consistency_pb.js';
import { AccountQueryService } from '../../../gen/quittance/query/v1/account_query_service_pb.js';
import { EventQueryService } from '../../../gen/quittance/query/v1/event_query_service_pb.js';
import { TransactionQueryService } from '../../../gen/quittance/query/v1/transaction_query_service_pb.js';
import { UsageError } from '../../../lib/process/command-line.js';
import { idOf, one } from '../flags.js';
import { put } from '../io.js';
import { printList, printOne } from '../printer.js';
import type { Session } from '../session.js';
import { CALL_FLAGS, FRESHNESS_FLAGS, LEDGER_FLAGS } from '../shared-flags.js';
import { jsonOf, type Sheet } from '../sheet.js';
import { ACCOUNTS } from '../sheets/accounts.js';
import { ENTRIES } from '../sheets/entries.js';
import { EVENTS } from '../sheets/events.js';
import { TRANSACTIONS } from '../sheets/transactions.js';
import { verb } from '../verb.js';
import { from } from './answer.js';

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const POSITION = /^\d{1,18}$/;
const LAST_ENTRIES = 10;
/** What a transaction has at most. */
const ALL_ENTRIES = 100;

const { columns: _columns, ...CALLED } = CALL_FLAGS;

export const EXPLAIN = verb({
  name: 'explain',
  summary: 'show why: of a transaction, a position or an account',
  positionals: { id: idOf('explained', one('a transaction or payment, a position, or an account')) },
  flags: { ...FRESHNESS_FLAGS, ...LEDGER_FLAGS, ...CALLED },
  examples: [
    ['quittance explain 0198…', 'what moved, by which command, with which hash'],
    ['quittance explain 18231', 'the event at that position'],
    ['quittance explain alice', 'the account, and the last entries that made its balance what it is'],
  ],
  run: async (session, { args: { id } }) => {
    const { form } = session.format;
    if (form !== 'table' && form !== 'wide' && form !== 'json')
      throw new UsageError(`an explanation has several parts; use table, wide or json in place of ${form}`);
    const { parts, asOf } = await explain(session, id);
    if (form === 'json') {
      const document = Object.fromEntries(parts.map(({ name, json }) => [name, json]));
      await put(session.io, `${JSON.stringify(document, undefined, 2)}\n`);
    } else
      for (const [index, { name, print }] of parts.entries()) {
        await put(session.io, `${index === 0 ? '' : '\n'}== ${name}\n`);
        await print();
      }
    session.sayAsOf(asOf);
    return undefined;
  },
});

/** A part of an explanation. */
interface Part {
  readonly name: string;
  readonly json: JsonValue;
  print(): Promise<unknown>;
}

interface Explanation {
  readonly parts: readonly Part[];
  readonly asOf: AsOf | undefined;
}

function explain(session: Session, id: string): Promise<Explanation> {
  if (UUID.test(id)) return explainTransaction(session, id);
  return POSITION.test(id) ? explainPosition(session, BigInt(id)) : explainAccount(session, id);
}

async function explainTransaction(session: Session, transactionId: string): Promise<Explanation> {
  const { ledger: ledgerId } = session;
  const methods = TransactionQueryService.method;
  const answer = await session.read(methods.getTransaction, (consistency) => ({
    ledgerId,
    transactionId,
    consistency,
  }));
  const { entries } = await session.read(methods.listEntries, (consistency) => ({
    ledgerId,
    transactionId,
    consistency,
    pageSize: ALL_ENTRIES,
  }));
  const { transaction, asOf } = answer;
  const event = transaction === undefined ? [] : await eventParts(session, transaction.position);
  return {
    parts: [
      ...(transaction === undefined ? [] : [single(session, 'transaction', TRANSACTIONS, transaction)]),
      ...(entries.length === 0 ? [] : [several(session, 'entries', ENTRIES, entries)]),
      ...event,
    ],
    asOf,
  };
}

async function explainPosition(session: Session, position: bigint): Promise<Explanation> {
  return { parts: await eventParts(session, position), asOf: undefined };
}

async function explainAccount(session: Session, accountId: string): Promise<Explanation> {
  const { ledger: ledgerId } = session;
  const { account, asOf } = await session.read(AccountQueryService.method.getAccount, (consistency) => ({
    ledgerId,
    accountId,
    consistency,
  }));
  const { entries } = await session.read(TransactionQueryService.method.listEntries, (consistency) => ({
    ledgerId,
    accountId,
    consistency,
    descending: true,
    pageSize: LAST_ENTRIES,
  }));
  return {
    parts: [
      ...(account === undefined ? [] : [single(session, 'account', ACCOUNTS, account)]),
      several(session, 'last entries', ENTRIES, entries),
    ],
    asOf,
  };
}

/** The event, and the command as it was sent. */
async function eventParts(session: Session, position: bigint): Promise<Part[]> {
  const { ledger: ledgerId } = session;
  const { event } = await session.call('query', EventQueryService.method.getEvent, { ledgerId, position });
  if (event === undefined) return [];
  const parts = [single(session, 'event', EVENTS, event)];
  if (event.command === undefined) return parts;
  const json = jsonOf(CommandSchema, event.command);
  return [
    ...parts,
    { name: 'command', json, print: () => put(session.io, `${JSON.stringify(json, undefined, 2)}\n`) },
  ];
}

function single<T>({ io, format }: Session, name: string, sheet: Sheet<T>, row: T): Part {
  return { name, json: sheet.json(row), print: () => printOne(io, format, sheet, { row }) };
}

function several<T>({ io, format }: Session, name: string, sheet: Sheet<T>, rows: readonly T[]): Part {
  return {
    name,
    json: rows.map((row) => sheet.json(row)),
    print: () => printList(io, format, sheet, from(rows)),
  };
}
