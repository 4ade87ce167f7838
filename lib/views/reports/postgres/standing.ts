/** Where a ledger's reports stand: the checkpoint, what is sealed, and what is not. */
import type { Buffer } from 'node:buffer';
import type { Pool } from '../../../log/postgres-client.js';
import { type CheckpointColumns, checkpointOf } from '../../stores/postgres/generations.js';
import type { Checkpoint } from '../../view.js';
import type { BoundSegment } from './intervals.js';
import { offTimePacksSql, packsSql, standingSql } from './sql/standing.sql.js';

/** Of one generation. */
export interface ReportStore {
  readonly pool: Pool;
  readonly schema: string;
}

/** What is asked for. */
export interface StandingScope {
  readonly partition: number;
  readonly ledgerId: string;
  /** The last position that counts; null: the checkpoint. */
  readonly through: bigint | null;
  readonly bounds: readonly bigint[];
  readonly accountId: string | null;
}

/** From one snapshot. */
export interface Standing {
  readonly asOf: Checkpoint;
  /** Undefined while the ledger has no posting and no decline. */
  readonly ledger: number | undefined;
  /** Of the account asked for; undefined if it has no entry. */
  readonly account: number | undefined;
  /** The segments up to here count as a whole. -1n: none. */
  readonly sealed: bigint;
  /** For each bound the sealed segment that holds it; undefined where what is sealed lies before the bound. */
  readonly segments: readonly (BoundSegment | undefined)[];
  /** The sealed segment of which a part counts, or nothing. */
  readonly open: BoundSegment | undefined;
  /** Packs of all ledgers of the partition, beyond `sealed` and not all before the first bound; none if there is an open segment. */
  readonly tail: readonly Buffer[];
}

type MaybeCheckpoint = CheckpointColumns | { readonly [K in keyof CheckpointColumns]: null };

/** As standingSql selects them. */
type StandingRow = MaybeCheckpoint & {
  readonly what: 'point' | 'bound' | 'open' | 'tail';
  readonly ledger: number | null;
  readonly account: number | null;
  readonly place: bigint | null;
  readonly after: bigint | null;
  readonly through: bigint | null;
  readonly from_time: bigint | null;
  readonly pack: Buffer | null;
};

/** Packs read at a time, of at most 1,024 records: some 2 MB. */
const PAGE_PACKS = 32;

export async function readStanding({ pool, schema }: ReportStore, scope: StandingScope): Promise<Standing> {
  const { partition, ledgerId, through, bounds, accountId } = scope;
  const { rows } = await pool.query<StandingRow>({
    name: `${schema}.standing`,
    text: standingSql(schema),
    values: [partition, ledgerId, through, `{${bounds.join(',')}}`, accountId],
  });
  const segments = Array.from({ length: bounds.length }, (): BoundSegment | undefined => undefined);
  const tail: Buffer[] = [];
  let open: BoundSegment | undefined;
  let point: StandingRow | undefined;
  for (const row of rows) {
    if (row.what === 'point') point = row;
    else if (row.what === 'bound') segments[Number(row.place) - 1] = segmentIn(row);
    else if (row.what === 'open') open = segmentIn(row);
    else if (row.pack !== null) tail.push(row.pack);
  }
  return {
    asOf: checkpointOf(partition, point !== undefined && hasCheckpoint(point) ? point : undefined),
    ledger: point?.ledger ?? undefined,
    account: point?.account ?? undefined,
    sealed: point?.through ?? -1n,
    segments,
    open,
    tail,
  };
}

function hasCheckpoint<R extends MaybeCheckpoint>(row: R): row is R & CheckpointColumns {
  return row.checkpoint_offset !== null;
}

function segmentIn({ after, through, from_time }: StandingRow): BoundSegment {
  return { after: after ?? -1n, through: through ?? -1n, fromTime: from_time ?? 0n };
}

/** The packs of a sealed segment, page by page. */
export async function* packsOf(
  { pool, schema }: ReportStore,
  ledger: number,
  { after, through }: BoundSegment,
): AsyncGenerator<Buffer> {
  let from = after;
  for (;;) {
    const { rows } = await pool.query<{ through: bigint; pack: Buffer }>({
      name: `${schema}.packs`,
      text: packsSql(schema),
      values: [ledger, from, through, PAGE_PACKS],
    });
    for (const { pack } of rows) yield pack;
    if (rows.length < PAGE_PACKS) return;
    from = rows.at(-1)?.through ?? through;
  }
}

/** Records off time of what is sealed up to a position that are dated in some 15 minutes, page by page. */
export async function* offTimePacksOf(
  { pool, schema }: ReportStore,
  ledger: number,
  buckets: readonly bigint[],
  sealed: bigint,
): AsyncGenerator<Buffer> {
  let [bucket, through] = [-1, -1n];
  for (;;) {
    const { rows } = await pool.query<{ effective_bucket: number; through: bigint; pack: Buffer }>({
      name: `${schema}.off_time_packs`,
      text: offTimePacksSql(schema),
      values: [ledger, `{${buckets.join(',')}}`, sealed, bucket, through, PAGE_PACKS],
    });
    for (const { pack } of rows) yield pack;
    const last = rows.at(-1);
    if (last === undefined || rows.length < PAGE_PACKS) return;
    [bucket, through] = [last.effective_bucket, last.through];
  }
}
