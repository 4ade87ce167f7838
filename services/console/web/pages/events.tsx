/** What exactly was committed, in order: the log itself, newest first. */
import { create } from '@bufbuild/protobuf';
import { callUnaryMethod, useTransport } from '@connectrpc/connect-query';
import { FilterLine } from '../parts/filter-line.js';
import {
  EventKind,
  EventQueryService,
  type EventRecord,
  type ListEventsRequest,
  ListEventsRequestSchema,
} from '../../../../gen/quittance/query/v1/event_query_service_pb.js';
import { useState } from 'react';
import { parseFilter } from '../parts/filter.js';
import { FilterReader } from '../parts/filter-reader.js';
import { ListStatus } from '../parts/list-status.js';
import { type Column, Rows } from '../parts/rows.js';
import { Empty, FailureNote, Time } from '../parts/text.js';
import { countText, typedPosition } from '../numbers.js';
import { useFreshness, usePin } from '../state/reads.js';
import { type Page, PAGE_ROWS, useKeyset, wholePage } from '../state/keyset.js';
import { usePageCall } from '../state/page-call.js';
import { linkTo, setParams, useRoute } from '../state/route.js';
import { hexOf, payloadName, streamOf, timestampOfMicros } from '../events.js';

/** What the list takes, with what each means. */
const FILTERS = {
  kind: 'account_opened, or several with commas',
  actor: 'who sent the command',
  stream: 'an account, or the id that a transaction began with',
  before: 'a position',
  from: 'a day, a time, -2h, -7d',
  to: 'likewise',
} as const;
const KEYS = Object.keys(FILTERS);

const COLUMNS: readonly Column<EventRecord>[] = [
  {
    name: 'Position',
    width: '104px',
    isRight: true,
    cell: ({ event }) => (
      <a href={linkTo('event', String(event?.position ?? 0n))} data-row="">
        {countText(event?.position ?? 0n)}
      </a>
    ),
  },
  {
    name: 'Recorded',
    width: '144px',
    cell: ({ event }) => <Time at={timestampOfMicros(event?.recordedTimeMicros ?? 0n)} />,
  },
  { name: 'Kind', width: '184px', cell: ({ event }) => (event === undefined ? null : payloadName(event)) },
  {
    name: 'Stream',
    width: 'minmax(280px, 1fr)',
    cell: ({ event }) => (event === undefined ? null : streamOf(event)),
  },
  { name: 'Actor', width: '136px', cell: ({ event }) => event?.actor },
  {
    name: 'Hash',
    width: '152px',
    cell: ({ hash }) => (
      <span className="mono" title={hexOf(hash)}>
        {hexOf(hash).slice(0, 16)}
      </span>
    ),
  },
];

export function EventsPage() {
  const { params } = useRoute();
  const until = params.get('until') ?? '';
  const q = params.get('q') ?? (until === '' ? '' : `before:${String((typedPosition(until) ?? 0n) + 1n)}`);
  return (
    <>
      <div className="title">
        <h1>Events</h1>
      </div>
      <FilterLine
        key={`filter ${q}`}
        text={q}
        example="kind:account_opened actor:anonymous stream:alice before:18231"
        filters={FILTERS}
        onFilter={(text) => setParams({ q: text, until: undefined })}
      />
      <EventList key={q} q={q} />
    </>
  );
}

function EventList({ q }: { readonly q: string }) {
  const { ledger } = useRoute();
  const pin = usePin();
  // The moment stays while the list is read: all pages are of one question.
  const [now] = useState(() => new Date());
  const reader = new FilterReader(parseFilter(q, KEYS, ['kind']));
  const before = reader.text('before') === '' ? 0n : typedPosition(reader.text('before'));
  const wanted = create(ListEventsRequestSchema, {
    ledgerId: ledger,
    actor: reader.text('actor'),
    streamId: reader.text('stream'),
    kinds: reader.words<EventKind>('kind', EventKind),
    endPosition: lesser(before ?? 0n, pin === undefined ? 0n : pin + 1n),
    descending: true,
    pageSize: PAGE_ROWS,
  });
  const start = reader.time('from', now);
  const end = reader.time('to', now);
  if (start !== undefined) wanted.startRecordedTime = start;
  if (end !== undefined) wanted.endRecordedTime = end;
  const wrong = [...reader.problems, ...(before === undefined ? ['before: is a position'] : [])];
  usePageCall(EventQueryService.method.listEvents, wanted);
  const load = useLoader(wanted, wrong.length === 0);
  const [isHeld, setHeld] = useState(false);
  const list = useKeyset(`events|${ledger}|${q}|${String(pin)}`, load, isHeld || pin !== undefined);
  if (wrong.length > 0) {
    return wrong.map((problem) => (
      <p key={problem} className="error" role="alert">
        {problem}
      </p>
    ));
  }
  if (list.isComplete && list.count === 0) return <Empty>No event is so.</Empty>;
  return (
    <>
      <FailureNote error={list.error} />
      <Rows
        label="Events"
        columns={COLUMNS}
        count={list.count + (list.isComplete ? 0 : 1)}
        rowAt={list.rowAt}
        keyOf={(index) => String(list.rowAt(index)?.event?.position ?? `row ${String(index)}`)}
        onSee={list.see}
        onHold={setHeld}
      >
        {pin === undefined ? <ListStatus isHeld={isHeld} /> : <span className="muted small">pinned</span>}
      </Rows>
    </>
  );
}

/** Of two bounds the one that cuts more; 0 is none. */
function lesser(one: bigint, two: bigint): bigint {
  if (one === 0n || two === 0n) return one + two;
  return one < two ? one : two;
}

function useLoader(wanted: ListEventsRequest, isRight: boolean) {
  const transport = useTransport();
  const consistency = useFreshness();
  return async (token: string, signal: AbortSignal): Promise<Page<EventRecord>> => {
    if (!isRight) return { rows: [], next: '' };
    return wholePage(token, async (page) => {
      const request = create(ListEventsRequestSchema, { ...wanted, consistency, ...page });
      const { events, nextPageToken } = await callUnaryMethod(
        transport,
        EventQueryService.method.listEvents,
        request,
        { signal },
      );
      return { rows: events, next: nextPageToken };
    });
  };
}
