/** Which events of a ledger a list shows: by who sent the command, by what happened, and by when it was recorded. */
import type { Event } from '../../../gen/quittance/event/v1/event_pb.js';
import type { EventKind, ListEventsRequest } from '../../../gen/quittance/query/v1/event_query_service_pb.js';
import { eventKindOf } from '../../../lib/log/event-kind.js';
import type { LogReader } from '../../../lib/log/reader.js';
import type { RecordedEvent } from '../../../lib/log/recorded-event.js';
import type { TimeRange } from '../../../lib/views/history/view.js';

/** How the API names who was not authenticated; their events have no actor, and neither have those of no command. */
const ANONYMOUS = 'anonymous';

/** Whether an event passes the filters that no index answers; undefined if the request has none. */
export function eventFilter({
  actor,
  kinds,
}: Pick<ListEventsRequest, 'actor' | 'kinds'>): ((record: RecordedEvent) => boolean) | undefined {
  if (actor === '' && kinds.length === 0) return undefined;
  const wanted = new Set(kinds);
  return ({ event }) => isBy(event, actor) && (wanted.size === 0 || isOneOf(event, wanted));
}

function isBy({ actor, requestId }: Event, wanted: string): boolean {
  if (wanted === '') return true;
  return wanted === ANONYMOUS ? actor === '' && requestId.length > 0 : actor === wanted;
}

function isOneOf(event: Event, wanted: ReadonlySet<EventKind>): boolean {
  const kind = eventKindOf(event);
  return kind !== undefined && wanted.has(kind);
}

/** Positions: after the one, through the other. */
export interface PositionRange {
  readonly after: bigint;
  readonly through: bigint;
}

/** The positions within `range` that were recorded within `times`: recorded times rise with positions. */
export async function recordedWithin(
  log: Pick<LogReader, 'atTime'>,
  range: PositionRange,
  { from, to }: TimeRange,
): Promise<PositionRange> {
  const lastBefore = async (time: bigint) => (await log.atTime(time - 1n))?.position ?? -1n;
  const [after, through] = await Promise.all([
    from === null ? range.after : lastBefore(from),
    to === null ? range.through : lastBefore(to),
  ]);
  return {
    after: after > range.after ? after : range.after,
    through: through < range.through ? through : range.through,
  };
}
