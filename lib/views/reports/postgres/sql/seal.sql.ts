/** Seals a segment: all in one transaction. */
import { rowsOfArrays } from '../../../stores/postgres/table-write.js';
import { DECLINE_COLUMNS, ENTRY_COLUMNS, entryArrays, VOLUME_COLUMNS, volumeArrays } from './rollups.sql.js';

/**
 * One snapshot for all statements: of two processes at the same segment, neither sees the other's half way,
 * and the second to enter it fails on its key. Ranges go by index, also in a table
 * just filled, whose statistics are missing.
 */
export const beginSeal = `
begin isolation level repeatable read; set local synchronous_commit = off; set local enable_seqscan = off;
set local enable_hashjoin = off; set local enable_mergejoin = off`;

/**
 * The oldest segment in the tail that is complete, and where the sealed ones end. $1 partition; the segment of
 * the checkpoint begins at $2 (the number of its 15 minutes) and $3 (a position).
 */
export const oldestSql = (schema: string): string => `
select t.recorded_bucket, t.through,
  (select coalesce(max(s.through), -1) from ${schema}.segments s where s.partition = $1) as sealed
from (
  select recorded_bucket, through from ${schema}.tail where partition = $1 order by through limit 1
) t
where t.recorded_bucket < $2::int or t.through < $3::bigint`;

/** Packs of a segment: $1 partition, $2 its 15 minutes, $3 through its last position, $4 after this, $5 how many. */
export const tailPageSql = (schema: string): string => `
select through, rows from ${schema}.tail
where partition = $1 and through > $4::bigint and through <= $3::bigint and recorded_bucket = $2::int
order by through limit $5::int`;

/** $1 partition, $2 through, $3 after, $4 and $5 when its first and last records were recorded, $6 its 15 minutes */
export const enterSegmentSql = (schema: string): string => `
insert into ${schema}.segments (partition, through, after, from_time, to_time, recorded_bucket)
values ($1, $2, $3, $4, $5, $6)`;

/** Arrays of the columns. */
export const insertPacksSql = (schema: string): string => `
insert into ${schema}.packs (ledger, through, rows) ${rowsOfArrays(1, 'int bigint bytea')}`;

/** Arrays of the columns. */
export const insertOffTimePacksSql = (schema: string): string => `
insert into ${schema}.off_time_packs (ledger, effective_bucket, through, rows)
${rowsOfArrays(1, 'int int bigint bytea')}`;

/** Arrays of the columns. */
export const insertEntrySumsSql = (schema: string): string => `
insert into ${schema}.entry_rollup (${ENTRY_COLUMNS}) ${entryArrays(1)}`;

/** Arrays of the columns. */
export const insertVolumeSumsSql = (schema: string): string => `
insert into ${schema}.volume_rollup (${VOLUME_COLUMNS}) ${volumeArrays(1)}`;

/** Arrays of the columns. */
export const insertDeclineSumsSql = (schema: string): string => `
insert into ${schema}.decline_rollup (${DECLINE_COLUMNS}) ${volumeArrays(1)}`;

/** $1 partition, $2 the last position that goes */
export const cutTailSql = (schema: string): string => `
delete from ${schema}.tail where partition = $1 and through <= $2`;
