/** The columns of the rollups, in the order in which rollup-values.ts gives their arrays. */
import { rowsOfArrays } from '../../../stores/postgres/table-write.js';

const group = 'position, ledger, recorded_bucket, effective_bucket, on_time';
const groupTypes = 'bigint int int int boolean';

/** Of `entry_rollup`. */
export const ENTRY_COLUMNS = `${group}, debits, credits, entries, account, kind`;
/** Of `volume_rollup`. */
export const VOLUME_COLUMNS = `${group}, principal, transactions, kind, currency`;
/** Of `decline_rollup`; declines are always on time. */
export const DECLINE_COLUMNS = `${group}, principal, declines, reason, currency`;

/** Rows of arrays from `$first` on, in the order of ENTRY_COLUMNS. */
export const entryArrays = (first: number): string =>
  rowsOfArrays(first, `${groupTypes} bigint bigint bigint int smallint`);

/** Rows of arrays from `$first` on, in the order of VOLUME_COLUMNS, and likewise of DECLINE_COLUMNS. */
export const volumeArrays = (first: number): string =>
  rowsOfArrays(first, `${groupTypes} bigint bigint smallint text`);
