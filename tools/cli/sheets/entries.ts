/** How entries and lines of statements are shown. */
import { Direction, TransactionKind } from '../../../gen/quittance/common/v1/transaction_pb.js';
import {
  type EntryRecord,
  EntryRecordSchema,
  type StatementLine,
  StatementLineSchema,
} from '../../../gen/quittance/query/v1/transaction_query_service_pb.js';
import { wordOf } from '../flags.js';
import { decimalOf } from '../money.js';
import { type Column, jsonOf, type Sheet } from '../sheet.js';
import { briefOf, isoOf } from '../when.js';

const exponentOf = ({ entry }: EntryRecord): number => entry?.amount?.exponent ?? 0;

const COLUMNS: readonly Column<EntryRecord>[] = [
  { name: 'position', of: ({ position }) => String(position), isRight: true },
  {
    name: 'time',
    of: ({ recordedTime }) => isoOf(recordedTime),
    brief: ({ recordedTime }) => briefOf(recordedTime),
  },
  { name: 'kind', of: ({ kind }) => wordOf(TransactionKind, kind) },
  { name: 'account', of: ({ entry }) => entry?.accountId ?? '' },
  { name: 'direction', of: ({ entry }) => wordOf(Direction, entry?.direction ?? 0) },
  {
    name: 'amount',
    of: (record) => decimalOf(record.entry?.amount?.minorUnits ?? 0n, exponentOf(record)),
    isRight: true,
  },
  { name: 'currency', of: ({ entry }) => entry?.amount?.currency ?? '' },
  {
    name: 'posted-after',
    of: (record) => decimalOf(record.entry?.postedAfter ?? 0n, exponentOf(record)),
    isRight: true,
  },
  { name: 'transaction', of: ({ transactionId }) => transactionId },
  {
    name: 'effective',
    of: ({ effectiveTime }) => isoOf(effectiveTime),
    brief: ({ effectiveTime }) => briefOf(effectiveTime),
    isWide: true,
  },
  { name: 'index', of: ({ entry }) => String(entry?.index ?? ''), isRight: true, isWide: true },
  { name: 'version', of: ({ entry }) => String(entry?.accountVersion ?? ''), isRight: true, isWide: true },
];

export const ENTRIES: Sheet<EntryRecord> = {
  columns: COLUMNS,
  id: ({ transactionId }) => transactionId,
  json: (record) => jsonOf(EntryRecordSchema, record),
};

/** A line whose entry is there: every line of a statement has one. */
export const STATEMENT_LINES: Sheet<StatementLine> = {
  columns: [
    ...COLUMNS.filter(({ name }) => name !== 'account' && name !== 'posted-after').map(
      ({ of, brief = of, ...column }): Column<StatementLine> => ({
        ...column,
        of: ({ entry }) => (entry === undefined ? '' : of(entry)),
        brief: ({ entry }) => (entry === undefined ? '' : brief(entry)),
      }),
    ),
    {
      name: 'balance',
      of: ({ balance, entry }) => decimalOf(balance, entry === undefined ? 0 : exponentOf(entry)),
      isRight: true,
    },
  ],
  id: ({ entry }) => entry?.transactionId ?? '',
  json: (line) => jsonOf(StatementLineSchema, line),
};
