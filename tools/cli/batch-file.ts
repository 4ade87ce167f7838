/** Commands from a file: CSV with a line for each payment, or NDJSON with a line for each command. */
import { create, fromJson, type JsonValue, type MessageShape } from '@bufbuild/protobuf';
import { parse as parseCsv } from 'csv-parse/sync';
import { v5 as uuidV5 } from 'uuid';
import {
  type Command,
  CommandSchema,
} from '../../gen/quittance/command/v1/transaction_command_service_pb.js';
import { UsageError } from '../../lib/process/command-line.js';
import { type ExponentOf, readMoney } from './money.js';

/** A command that was filled in. */
export type FilledCommand = MessageShape<typeof CommandSchema>;

/** What a line lacks: the ledger, and the id of the batch that the ids of its commands are made of. */
export interface BatchHead {
  readonly ledgerId: string;
  readonly batchId: string;
  /** The decimal digits of currencies and of the ledger's assets. */
  readonly exponentOf: ExponentOf;
}

const COLUMNS = [
  'kind',
  'payer',
  'payee',
  'account',
  'amount',
  'currency',
  'reference',
  'description',
  'request_id',
];
const KINDS = ['payment', 'authorization', 'deposit', 'withdrawal'] as const;

type Row = Readonly<Partial<Record<string, string>>>;

/** Reads a CSV. @throws UsageError that names the line */
export function commandsOfCsv(text: string, head: BatchHead): FilledCommand[] {
  let rows: string[][];
  try {
    rows = parseCsv(text, { bom: true, skip_empty_lines: true, trim: true });
  } catch (error) {
    throw new UsageError(`the CSV cannot be read: ${error instanceof Error ? error.message : String(error)}`);
  }
  const [heading = [], ...lines] = rows;
  const unknown = heading.find((name) => !COLUMNS.includes(name));
  if (unknown !== undefined)
    throw new UsageError(
      `the column ${JSON.stringify(unknown)} is not known; there are ${COLUMNS.join(', ')}`,
    );
  return lines.map((cells, index) => {
    const row = Object.fromEntries(heading.map((name, column) => [name, cells[column] ?? '']));
    return atLine(index + 2, () => commandOfRow(row, { ...head, index }));
  });
}

/** Reads NDJSON: a quittance.command.v1.Command per line, whose ledger and request id may be left out. @throws UsageError */
export function commandsOfNdjson(text: string, head: BatchHead): FilledCommand[] {
  const lines = text.split('\n').map((line, index) => ({ line, number: index + 1 }));
  const filled = lines.filter(({ line }) => line.trim() !== '');
  return filled.map(({ line, number }, index) =>
    atLine(number, () => {
      const command = fromJson(CommandSchema, JSON.parse(line) as JsonValue);
      const { value } = command.command;
      if (value === undefined) throw new UsageError('the line holds no command');
      if (value.ledgerId === '') value.ledgerId = head.ledgerId;
      if (value.requestId === '') value.requestId = requestIdOf(head, index);
      return command;
    }),
  );
}

function commandOfRow(
  row: Row,
  { ledgerId, batchId, exponentOf, index }: BatchHead & { readonly index: number },
): FilledCommand {
  const shared = {
    ledgerId,
    requestId: row['request_id'] || requestIdOf({ batchId }, index),
    amount: readMoney(row['amount'] ?? '', row['currency'] || undefined, exponentOf),
    reference: row['reference'] ?? '',
    description: row['description'] ?? '',
  };
  const kind = KINDS.find((known) => known === (row['kind'] || 'payment'));
  switch (kind) {
    case 'payment':
      return commandOf({ case: 'submitPayment', value: { ...shared, ...partiesOf(row) } });
    case 'authorization':
      return commandOf({ case: 'authorizePayment', value: { ...shared, ...partiesOf(row) } });
    case 'deposit':
      return commandOf({ case: 'deposit', value: { ...shared, accountId: cell(row, 'account') } });
    case 'withdrawal':
      return commandOf({ case: 'withdraw', value: { ...shared, accountId: cell(row, 'account') } });
    case undefined:
      throw new UsageError(
        `the kind ${JSON.stringify(row['kind'])} is not known; there are ${KINDS.join(', ')}`,
      );
  }
}

function commandOf(
  command: NonNullable<Parameters<typeof create<typeof CommandSchema>>[1]>['command'],
): Command {
  return create(CommandSchema, command === undefined ? {} : { command });
}

function partiesOf(row: Row) {
  return { payerAccountId: cell(row, 'payer'), payeeAccountId: cell(row, 'payee') };
}

function cell(row: Row, name: string): string {
  const text = row[name] ?? '';
  if (text === '') throw new UsageError(`the column ${name} is empty`);
  return text;
}

/** The same batch id makes the same ids, so that a file that is sent again replays. */
function requestIdOf({ batchId }: Pick<BatchHead, 'batchId'>, index: number): string {
  return uuidV5(String(index), batchId);
}

function atLine<T>(line: number, read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw new UsageError(`line ${String(line)}: ${error instanceof Error ? error.message : String(error)}`);
  }
}
