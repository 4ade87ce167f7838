/** When the event after the pinned position was recorded: lists of transactions are cut by time, which grows with positions. */
import { skipToken } from '@connectrpc/connect-query';
import type { Timestamp } from '@bufbuild/protobuf/wkt';
import { EventQueryService } from '../../../../gen/quittance/query/v1/event_query_service_pb.js';
import { timestampOfMicros } from '../events.js';
import { usePin, useRead } from './reads.js';
import { useRoute } from './route.js';

/** Undefined: nothing is pinned, or nothing was recorded after it. */
export function usePinTime(): { readonly isKnown: boolean; readonly end: Timestamp | undefined } {
  const { ledger } = useRoute();
  const pin = usePin();
  const next = useRead(
    EventQueryService.method.listEvents,
    pin === undefined ? skipToken : { ledgerId: ledger, startPosition: pin + 1n, pageSize: 1 },
    false,
  );
  const micros = next.data?.events[0]?.event?.recordedTimeMicros;
  return {
    isKnown: pin === undefined || next.isSuccess,
    end: micros === undefined ? undefined : timestampOfMicros(micros),
  };
}
