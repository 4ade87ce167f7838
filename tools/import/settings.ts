/** How a file is to be read: what flags and a mapping file say. */
import type { DayReader, NumberStyle } from './fields.js';

/** The formats that can be read. */
export type FormatName = 'csv' | 'camt.053' | 'mt940';

/** What a column of a CSV can hold. */
export const CSV_FIELDS = [
  'id',
  'account',
  'date',
  'currency',
  'amount',
  'amount_minor',
  'debit',
  'credit',
  'direction',
  'balance',
  'balance_minor',
  'kind',
  'purpose',
  'counterparty',
  'description',
] as const;

export type CsvField = (typeof CSV_FIELDS)[number];

/** Columns that are found by these names where no other column is named for the field. */
export const DEFAULT_COLUMNS: Readonly<Record<CsvField, string>> = {
  id: 'movement_id',
  account: 'account_id',
  date: 'booked_on',
  currency: 'currency',
  amount: 'amount',
  amount_minor: 'amount_minor',
  debit: 'debit',
  credit: 'credit',
  direction: 'direction',
  balance: 'balance_after',
  balance_minor: 'balance_after_minor',
  kind: 'kind',
  purpose: 'purpose',
  counterparty: 'counterparty',
  description: 'description',
};

/** What only concerns CSV. */
export interface CsvSettings {
  readonly delimiter: string;
  readonly numbers: NumberStyle;
  readonly readDay: DayReader;
  /** Lines before the header (or before the first row) that are passed over. */
  readonly skipLines: number;
  /** Whether the first line names the columns; otherwise they are named by numbers from 1. */
  readonly header: boolean;
  readonly columns: ReadonlyMap<CsvField, string>;
  /** Texts of the column `direction` for money that goes out, and for money that comes in. */
  readonly debitWords: ReadonlySet<string>;
  readonly creditWords: ReadonlySet<string>;
  /** Where the file has no ids: they are derived from what the rows say. */
  readonly deriveIds: boolean;
  /** Ids of the file are unique in their account only. */
  readonly idsPerAccount: boolean;
  /** The last movement stands first. */
  readonly newestFirst: boolean;
}

/** How a file is to be read. */
export interface ReadSettings {
  /** Undefined: the first bytes of the file decide. */
  readonly format: FormatName | undefined;
  /** Undefined: what a byte order mark or an XML declaration says, else UTF-8. */
  readonly encoding: string | undefined;
  /** The unit of rows that name no currency; others are refused. Undefined: every row has to name one of ISO 4217. */
  readonly currency: string | undefined;
  /** The account of all rows, whatever the file says. */
  readonly account: string | undefined;
  /** Accounts of the file that have other ids in the ledger. */
  readonly accounts: ReadonlyMap<string, string>;
  /** Whether printed balances are read; if not, nothing is compared. */
  readonly balances: boolean;
  /** Whether counterparties are kept as metadata. */
  readonly withCounterparty: boolean;
  /** Whether descriptions are kept. */
  readonly withDescription: boolean;
  readonly csv: CsvSettings;
}
