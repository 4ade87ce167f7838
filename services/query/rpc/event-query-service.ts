/** quittance.query.v1.EventQueryService, for the doors to mount. */
import { EventQueryService } from '../../../gen/quittance/query/v1/event_query_service_pb.js';
import { implement, type Service } from '../../../lib/rpc/service.js';
import type { QueryContext } from '../context.js';
import { getEvent } from './get-event.js';
import { listEvents } from './list-events.js';
import { watchEvents } from './watch-events.js';

/** The service over a log. */
export function eventQueryService(context: QueryContext): Service {
  return implement(EventQueryService, {
    listEvents: listEvents(context),
    getEvent: getEvent(context),
    watchEvents: watchEvents(context),
  });
}
