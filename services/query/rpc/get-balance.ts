import type { Balance } from '../../../gen/quittance/common/v1/account_pb.js';
import type { AsOf } from '../../../gen/quittance/common/v1/consistency_pb.js';
import { ErrorReason } from '../../../gen/quittance/common/v1/error_reason_pb.js';
import type {
  AccountQueryService,
  GetBalanceRequest,
} from '../../../gen/quittance/query/v1/account_query_service_pb.js';
import type { Call } from '../../../lib/rpc/call.js';
import { fail } from '../../../lib/rpc/errors.js';
import type { MethodFunction } from '../../../lib/rpc/service.js';
import type { Micros } from '../../../lib/base/time.js';
import { wholeUpTo } from '../../../lib/views/parked/parked.js';
import type { Checkpoint, Read } from '../../../lib/views/view.js';
import { asOf } from '../consistency.js';
import { type QueryContext, readView } from '../context.js';
import { requestedTime } from '../times.js';
import { accountNotFound, requireLedger, requireLedgerInLog } from './answers.js';
import { INT64_MAX } from '../../../lib/base/bigints.js';

/** An answer about the past, before it is known whether there is a balance at all. */
interface Past extends Read<Balance | undefined> {
  readonly final: boolean;
}

/** Which account of which partition is asked for. */
interface Asked {
  readonly context: QueryContext;
  readonly request: GetBalanceRequest;
  readonly partition: number;
  readonly call: Call;
}

/**
 * GetBalance: now from the balances view, in one round trip; as of a past position or time from the history
 * view.
 */
export function getBalance(
  context: QueryContext,
): MethodFunction<(typeof AccountQueryService)['method']['getBalance']> {
  // Callers who read at the same time get the same checkpoint: its token is made once for all of them.
  const answered = new WeakMap<Checkpoint, AsOf>();
  return async (request, call) => {
    const { ledgerId, accountId, consistency } = request;
    const partition = context.partitionOf(ledgerId);
    if (request.at.case !== undefined) return await pastBalance({ context, request, partition, call });
    await context.freshness.reach(context.balances, partition, { ledgerId, consistency }, call);
    const read = await readView(context.balances, (view) => view.balances(partition, ledgerId, [accountId]));
    const balance = read.value[0];
    if (balance === undefined) {
      await requireLedgerInLog(context, ledgerId);
      throw accountNotFound(accountId);
    }
    let at = answered.get(read.asOf);
    if (at === undefined) answered.set(read.asOf, (at = await asOf(context, read.asOf)));
    return { balance, asOf: at };
  };
}

async function pastBalance(asked: Asked) {
  const { context, request } = asked;
  const past = await readPast(asked);
  if (past.value === undefined) {
    await requireLedger(context, request.ledgerId);
    throw accountNotFound(request.accountId, ' at that time');
  }
  return { balance: past.value, asOf: await asOf(context, past.asOf, { final: past.final }) };
}

async function readPast(asked: Asked): Promise<Past> {
  const { context, request, partition, call } = asked;
  const { ledgerId, accountId, consistency, at } = request;
  switch (at.case) {
    case 'position': {
      const position = at.value;
      await context.freshness.reach(context.history, partition, { ledgerId, consistency, position }, call);
      // The view has applied the position: no event can come at or before it any more.
      return { ...(await balanceAtPosition(asked, position)), final: true };
    }
    case 'recordedTime':
      return await balanceAtRecordedTime(asked, requestedTime('recorded_time', at.value));
    case 'effectiveTime': {
      const time = requestedTime('effective_time', at.value);
      await context.freshness.reach(context.history, partition, { ledgerId, consistency }, call);
      const read = await readView(context.history, (view) =>
        view.balanceAtEffectiveTime(partition, ledgerId, accountId, time),
      );
      return { ...read, final: false };
    }
    case undefined:
      throw new Error('a past balance is asked for with its time');
    default:
      return at satisfies never;
  }
}

/**
 * What was known at a time. Before as_of.time the log cannot change any more, so the position there is looked
 * up. From as_of.time on, all that the view has was recorded by then; the head is waited for first, so that
 * nothing is missing that was committed before the call.
 */
async function balanceAtRecordedTime(asked: Asked, time: Micros): Promise<Past> {
  const { context, request, partition, call } = asked;
  if (time > (await context.log.now())) {
    throw fail(ErrorReason.TIME_OUT_OF_RANGE, 'recorded_time lies after now', {
      fields: [{ field: 'recorded_time', description: 'lies after now' }],
    });
  }
  await context.freshness.reach(
    context.history,
    partition,
    { ledgerId: request.ledgerId, consistency: request.consistency },
    call,
  );
  let checkpoint = await checkpointOf(asked);
  if (time > checkpoint.recordedTime) {
    const { position } = await context.freshness.head();
    await context.freshness.reach(context.history, partition, { ledgerId: request.ledgerId, position }, call);
    checkpoint = await checkpointOf(asked);
  }
  if (time >= checkpoint.recordedTime) {
    const read = await balanceAtPosition(asked, INT64_MAX);
    if (time >= read.asOf.recordedTime) return { ...read, final: false };
    // Meanwhile the view went past the time.
  }
  const point = await context.log.atTime(time);
  const read = await balanceAtPosition(asked, point?.position ?? -1n);
  return { ...read, final: time < read.asOf.recordedTime };
}

async function checkpointOf({ context, request, partition }: Asked): Promise<Checkpoint> {
  const checkpoint = await readView(context.history, (view) => view.checkpoint(partition));
  return wholeUpTo(checkpoint, request.ledgerId);
}

function balanceAtPosition(
  { context, request, partition }: Asked,
  position: bigint,
): Promise<Read<Balance | undefined>> {
  const { ledgerId, accountId } = request;
  return readView(context.history, (view) =>
    view.balanceAtPosition(partition, ledgerId, accountId, position),
  );
}
