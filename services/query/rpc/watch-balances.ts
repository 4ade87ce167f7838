import type { Balance } from '../../../gen/quittance/common/v1/account_pb.js';
import type {
  AccountQueryService,
  WatchBalancesRequest,
} from '../../../gen/quittance/query/v1/account_query_service_pb.js';
import type { MethodFunction } from '../../../lib/rpc/service.js';
import type { Read } from '../../../lib/views/view.js';
import { asOf } from '../consistency.js';
import { type QueryContext, readView } from '../context.js';
import { accountNotFound, requireLedgerInLog } from './answers.js';
import { viewMoved } from './view-moves.js';
import { pause } from '../../../lib/base/pause.js';

/**
 * A watch reads its accounts at most so often, however fast the log grows; of the changes in between it sends
 * the last.
 */
const PACE_MS = 10;

type Balances = Read<readonly (Balance | undefined)[]>;

/**
 * WatchBalances: the present states, then each account's latest whenever it changes. It reads again only when
 * its last message was taken, so a slow reader skips versions and nothing piles up.
 */
export function watchBalances(
  context: QueryContext,
): MethodFunction<(typeof AccountQueryService)['method']['watchBalances']> {
  return async function* (request, call) {
    const partition = context.partitionOf(request.ledgerId);
    const { consistency, ledgerId, accountIds } = request;
    const place = { partition, ledgerId };
    const read = () => readView(context.balances, (view) => view.balances(partition, ledgerId, accountIds));
    await context.freshness.reach(context.balances, partition, { ledgerId, consistency }, call);
    let found = await read();
    await requireAll(context, request, found);
    const sent = new Map<string, Sent>();
    let nextHeartbeat_ms = performance.now();
    for (;;) {
      const news = changedSince(sent, found);
      const now_ms = performance.now();
      if (news.length > 0 || now_ms >= nextHeartbeat_ms) {
        nextHeartbeat_ms = now_ms + context.heartbeat_ms;
        yield { balances: news, asOf: await asOf(context, found.asOf) };
      }
      await pause(PACE_MS, call.signal);
      const wait_ms = Math.max(0, nextHeartbeat_ms - performance.now());
      await viewMoved(context, context.balances, place, found.asOf.position, wait_ms, call.signal);
      found = await read();
    }
  };
}

async function requireAll(
  context: QueryContext,
  request: WatchBalancesRequest,
  found: Balances,
): Promise<void> {
  const unknown = request.accountIds.find((_, index) => found.value[index] === undefined);
  if (unknown === undefined) return;
  await requireLedgerInLog(context, request.ledgerId);
  throw accountNotFound(unknown);
}

interface Sent {
  readonly epoch: number;
  readonly version: bigint;
}

/**
 * The balances that were not sent yet, which this marks as sent. A version that is not above the one sent is
 * an old one, as from a generation that was just replaced; unless the log was restored to an older end, which
 * begins a new epoch.
 */
function changedSince(sent: Map<string, Sent>, { value, asOf: { epoch } }: Balances): Balance[] {
  const news: Balance[] = [];
  for (const balance of value) {
    if (balance === undefined) continue;
    const { accountId, version } = balance;
    const before = sent.get(accountId);
    if (before !== undefined && before.version === version) continue;
    if (before !== undefined && before.version > version && before.epoch >= epoch) continue;
    sent.set(accountId, { epoch, version });
    news.push(balance);
  }
  return news;
}
