import type { Ledger } from '../../../gen/quittance/common/v1/transaction_pb.js';
import {
  type LedgerQueryService,
  ListLedgersRequestSchema,
  ListLedgersResponseSchema,
} from '../../../gen/quittance/query/v1/ledger_query_service_pb.js';
import type { Call } from '../../../lib/rpc/call.js';
import type { MethodFunction } from '../../../lib/rpc/service.js';
import { decodePageToken, queryFingerprint } from '../../../lib/rpc/tokens.js';
import type { Read } from '../../../lib/views/view.js';
import { asOf, type Requirement } from '../consistency.js';
import { type QueryContext, readView } from '../context.js';
import { answerWithPage, nextPageToken, pageSizeOf } from './answers.js';

/** What ListLedgers needs to know besides: ledgers of one list live in all partitions. */
export interface LedgersContext extends QueryContext {
  /** How many partitions the bus has; default 1, as embedded. */
  readonly partitions?: number;
}

/**
 * ListLedgers: in order of position, from the history view. Where the view has several partitions, the answer
 * is as of the one that is farthest behind, and no ledger created after that is shown.
 */
export function listLedgers(
  context: LedgersContext,
): MethodFunction<(typeof LedgerQueryService)['method']['listLedgers']> {
  return async (request, call) => {
    const fingerprint = queryFingerprint(ListLedgersRequestSchema, request);
    const page =
      request.pageToken === '' ? undefined : decodePageToken(request.pageToken, fingerprint, ['bigint']);
    const size = pageSizeOf(request.pageSize);
    const reads = await readPartitions(context, { consistency: request.consistency, page }, call, {
      idPrefix: request.ledgerIdPrefix,
      through: page?.position ?? null,
      after: page?.cursor[0] ?? null,
      limit: size + 1,
    });
    const least = reads.map((read) => read.asOf).reduce((a, b) => (b.position < a.position ? b : a));
    const pinned = page ?? least;
    const ledgers = reads
      .flatMap((read) => read.value)
      .filter(({ position }) => position <= pinned.position)
      .sort((a, b) => (a.position < b.position ? -1 : 1));
    const rows = { rows: ledgers, size };
    return await answerWithPage(call, ListLedgersResponseSchema, rows, async (shown, last) => ({
      ledgers: [...shown],
      nextPageToken: last ? await nextPageToken(context, pinned, fingerprint, [last.position]) : '',
      asOf: await asOf(context, pinned),
    }));
  };
}

function readPartitions(
  context: LedgersContext,
  need: Requirement,
  call: Call,
  listing: { idPrefix: string; through: bigint | null; after: bigint | null; limit: number },
): Promise<Read<readonly Ledger[]>[]> {
  const partitions = Array.from({ length: context.partitions ?? 1 }, (_, partition) => partition);
  return Promise.all(
    partitions.map(async (partition) => {
      await context.freshness.reach(context.history, partition, need, call);
      return await readView(context.history, (view) => view.ledgers({ partition, ...listing }));
    }),
  );
}
