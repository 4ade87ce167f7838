/** A list as a file: CSV for sheets, NDJSON for programs. All pages of the list, with all digits of every amount. */
import { toJsonString } from '@bufbuild/protobuf';
import { useState } from 'react';
import {
  Direction,
  type Transaction,
  TransactionSchema,
} from '../../../../gen/quittance/common/v1/transaction_pb.js';
import type { ListTransactionsRequest } from '../../../../gen/quittance/query/v1/transaction_query_service_pb.js';
import type { Page } from '../state/keyset.js';
import { plainMoney } from '../money.js';
import { exactTime } from '../times.js';
import { declineWord, kindWord, statusWord } from './words.js';

/** A browser holds the file in memory. */
const ROWS_MOST = 100_000;

interface Props {
  readonly request: ListTransactionsRequest;
  readonly load: (token: string, signal: AbortSignal) => Promise<Page<Transaction>>;
}

export function ExportButtons({ load }: Props) {
  const [state, setState] = useState('');
  const save = async (extension: 'csv' | 'ndjson') => {
    const lines = extension === 'csv' ? [HEAD] : [];
    const { signal } = new AbortController();
    let token = '';
    do {
      const page = await load(token, signal);
      lines.push(
        ...page.rows.map(extension === 'csv' ? csvLine : (row) => toJsonString(TransactionSchema, row)),
      );
      token = page.next;
      setState(`${String(lines.length)} rows…`);
    } while (token !== '' && lines.length < ROWS_MOST);
    download(`transactions.${extension}`, `${lines.join('\n')}\n`);
    setState(token === '' ? '' : `cut at ${String(ROWS_MOST)} rows`);
  };
  const start = (extension: 'csv' | 'ndjson') => {
    save(extension).catch((error: unknown) =>
      setState(error instanceof Error ? error.message : String(error)),
    );
  };
  return (
    <span className="end">
      <span className="muted small" role="status">
        {state}
      </span>
      <button type="button" onClick={() => start('csv')}>
        CSV
      </button>
      <button type="button" onClick={() => start('ndjson')}>
        NDJSON
      </button>
    </span>
  );
}

const HEAD =
  'recorded_time,kind,status,decline_reason,amount,currency,debits,credits,reference,actor,position,transaction_id';

function csvLine(row: Transaction): string {
  const side = (direction: Direction) =>
    row.entries.flatMap((entry) => (entry.direction === direction ? [entry.accountId] : [])).join(' ');
  return [
    exactTime(row.recordedTime, 'UTC'),
    kindWord(row.kind),
    statusWord(row.status),
    declineWord(row.declineReason),
    row.amount === undefined ? '' : plainMoney(row.amount.minorUnits, row.amount.exponent ?? 0),
    row.amount?.currency ?? '',
    side(Direction.DEBIT),
    side(Direction.CREDIT),
    row.reference,
    row.actor,
    String(row.position),
    row.transactionId,
  ]
    .map(csvField)
    .join(',');
}

/** Quoted where it must be; a text that a sheet would take for a formula gets an apostrophe before it. */
export function csvField(value: string): string {
  const safe = /^[=+@\t\r]/.test(value) || /^-\D/.test(value) ? `'${value}` : value;
  return /[",\n\r]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

export function download(name: string, text: string): void {
  const url = URL.createObjectURL(new Blob([text]));
  const link = document.createElement('a');
  link.href = url;
  link.download = name;
  link.click();
  URL.revokeObjectURL(url);
}
