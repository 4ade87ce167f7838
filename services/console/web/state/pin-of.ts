/** The position that an operator means by a position or a time. */
import { timestampFromDate } from '@bufbuild/protobuf/wkt';
import { createClient, type Transport } from '@connectrpc/connect';
import { EventQueryService } from '../../../../gen/quittance/query/v1/event_query_service_pb.js';
import { typedPosition } from '../numbers.js';
import { typedTime } from '../parts/filter.js';

/** Of a time: the last event of the ledger that was recorded before it. @throws Error that says what is wrong with the text */
export async function pinOf(transport: Transport, ledger: string, typed: string, now: Date): Promise<bigint> {
  const position = typedPosition(typed);
  if (position !== undefined) return position;
  const time = typedTime(typed.trim(), now);
  if (time === undefined) throw new Error('a position, a day, a time, or -2h');
  const client = createClient(EventQueryService, transport);
  let pageToken = '';
  do {
    const { events, nextPageToken } = await client.listEvents({
      ledgerId: ledger,
      endRecordedTime: timestampFromDate(time),
      descending: true,
      pageSize: 1,
      pageToken,
    });
    const found = events[0]?.event?.position;
    if (found !== undefined) return found;
    // A page may end before it has found anything.
    pageToken = nextPageToken;
  } while (pageToken !== '');
  throw new Error('nothing was recorded before then');
}
