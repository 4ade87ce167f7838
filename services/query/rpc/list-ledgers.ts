import type { Ledger } from '../../../gen/quittance/common/v1/transaction_pb.js';
import {
  type LedgerQueryService,
  ListLedgersRequestSchema,
  ListLedgersResponseSchema,
} from '../../../gen/quittance/query/v1/ledger_query_service_pb.js';
import type { Call } from '../../../lib/rpc/call.js';
import type { VisibleLedgers } from '../../../lib/rpc/guard.js';
import type { MethodFunction } from '../../../lib/rpc/service.js';
import { decodePageToken, queryFingerprint } from '../../../lib/rpc/tokens.js';
import type { Read } from '../../../lib/views/view.js';
import { asOf, type Requirement } from '../consistency.js';
import { type QueryContext, readView } from '../context.js';
import { answerWithPage, nextPageToken, pageSizeOf } from './answers.js';
import { withClosedThrough } from './closed-period.js';

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
      names: namesOf(call.caller?.ledgers, request.ledgerIdPrefix),
      through: page?.position ?? null,
      after: page?.cursor[0] ?? null,
      limit: size + 1,
    });
    const least = reads.map((read) => read.asOf).reduce((a, b) => (b.position < a.position ? b : a));
    const pinned = page ?? least;
    const ledgers = reads
      .flatMap((read) => read.value)
      .filter(({ position }) => position <= pinned.position)
      .sort((a, b) => (a.position < b.position ? -1 : 1))
      .slice(0, size + 1);
    const rows = { rows: await withClosedThrough(context, ledgers, pinned.position), size };
    return await answerWithPage(call, ListLedgersResponseSchema, rows, async (shown, last) => ({
      ledgers: [...shown],
      nextPageToken: last ? await nextPageToken(context, pinned, fingerprint, [last.position]) : '',
      asOf: await asOf(context, pinned),
    }));
  };
}

/** Ledgers by their ids: those that begin with one of the prefixes, and single ones. None of a prefix begins with another. */
interface Names {
  readonly prefixes: readonly string[];
  readonly exact: readonly string[];
}

/** Which ledgers the caller may see of those that begin with the prefix that it asks for. */
function namesOf(visible: VisibleLedgers | undefined, asked: string): Names {
  if (visible === undefined) return { prefixes: [asked], exact: [] };
  const met = visible.prefixes.flatMap((prefix) => {
    if (prefix.startsWith(asked)) return [prefix];
    return asked.startsWith(prefix) ? [asked] : [];
  });
  const all = [...new Set(met)];
  const prefixes = all.filter((one) => !all.some((other) => other !== one && one.startsWith(other)));
  const exact = [...new Set(visible.exact)].filter(
    (ledgerId) => ledgerId.startsWith(asked) && !prefixes.some((prefix) => ledgerId.startsWith(prefix)),
  );
  return { prefixes, exact };
}

interface Listing {
  readonly names: Names;
  readonly through: bigint | null;
  readonly after: bigint | null;
  readonly limit: number;
}

/** Each partition is read by one statement for each prefix and each single ledger that it may hold; their order is the caller's matter. */
function readPartitions(
  context: LedgersContext,
  need: Requirement,
  call: Call,
  { names, through, after, limit }: Listing,
): Promise<Read<readonly Ledger[]>[]> {
  const partitions = Array.from({ length: context.partitions ?? 1 }, (_, partition) => partition);
  const isAfter = ({ position }: Ledger) =>
    (after === null || position > after) && (through === null || position <= through);
  return Promise.all(
    partitions.map(async (partition) => {
      await context.freshness.reach(context.history, partition, { ...need, ledgerId: null }, call);
      return await readView(context.history, async (view) => {
        // The point of the first read holds for all: what it does not reach is left to the next page.
        const reads: Read<readonly Ledger[]>[] = [];
        for (const idPrefix of names.prefixes) {
          reads.push(await view.ledgers({ partition, idPrefix, through, after, limit }));
        }
        for (const ledgerId of names.exact) {
          if (context.partitionOf(ledgerId) !== partition) continue;
          const { value, asOf: point } = await view.ledger(partition, ledgerId);
          reads.push({ value: value === undefined || !isAfter(value) ? [] : [value], asOf: point });
        }
        if (reads.length === 0)
          reads.push(await view.ledgers({ partition, idPrefix: NO_LEDGER, through, after, limit }));
        return together(reads);
      });
    }),
  );
}

/** No ledger id begins so: a read for the point of the view alone. */
const NO_LEDGER = '@';

/** Reads of one partition, as of the one that is farthest behind. */
function together(reads: readonly Read<readonly Ledger[]>[]): Read<readonly Ledger[]> {
  const [first, ...others] = reads;
  if (first === undefined) throw new Error('a partition is read at least once');
  return others.reduce(
    (sum, read) => ({
      value: [...sum.value, ...read.value],
      asOf: read.asOf.position < sum.asOf.position ? read.asOf : sum.asOf,
    }),
    first,
  );
}
