/** EventQueryService/GetEvent: one event of a ledger with its bytes, from the log itself. */
import { ErrorReason } from '../../../gen/quittance/common/v1/error_reason_pb.js';
import type { EventQueryService } from '../../../gen/quittance/query/v1/event_query_service_pb.js';
import { fail } from '../../../lib/rpc/errors.js';
import type { MethodFunction } from '../../../lib/rpc/service.js';
import { asOf } from '../consistency.js';
import type { QueryContext } from '../context.js';
import { requireLedgerInLog } from './answers.js';
import { eventRecord } from '../../../lib/log/event-record.js';

/** The method; a caller learns of the events of other ledgers only that their positions are taken. */
export function getEvent(
  context: QueryContext,
): MethodFunction<(typeof EventQueryService)['method']['getEvent']> {
  return async ({ ledgerId, position }) => {
    const end = await context.freshness.head();
    const found = position > end.position ? undefined : await context.log.at(position);
    if (found?.event.ledgerId !== ledgerId) {
      await requireLedgerInLog(context, ledgerId);
      throw found === undefined ? beyondTheEnd(position, end.position) : eventNotFound(position);
    }
    return { event: eventRecord(found), storedEvent: found.bytes, asOf: await asOf(context, end) };
  };
}

function beyondTheEnd(position: bigint, end: bigint) {
  return fail(ErrorReason.POSITION_OUT_OF_RANGE, 'the position is beyond the end of the log', {
    metadata: { position: String(end), required: String(position) },
    fields: [{ field: 'position', description: 'beyond the end of the log' }],
  });
}

function eventNotFound(position: bigint) {
  return fail(ErrorReason.EVENT_NOT_FOUND, `no event of the ledger is at position ${String(position)}`, {
    resource: { type: 'event', name: String(position) },
  });
}
