/** What exactly was committed, in order: the log itself, newest first. */
import { callUnaryMethod, useTransport } from '@connectrpc/connect-query';
import { FilterLine } from '../parts/filter-line.js';
import {
  EventKind,
  EventQueryService,
  type EventRecord,
} from '../../../../gen/quittance/query/v1/event_query_service_pb.js';
import { parseFilter } from '../parts/filter.js';
import { type Column, Rows } from '../parts/rows.js';
import { Empty, FailureNote, Time } from '../parts/text.js';
import { valueOfWord, wordsOf } from '../parts/words.js';
import { countText, typedPosition } from '../numbers.js';
import { useFreshness, usePin } from '../state/reads.js';
import { type Page, PAGE_ROWS, useKeyset, wholePage } from '../state/keyset.js';
import { usePageCall } from '../state/page-call.js';
import { linkTo, setParams, useRoute } from '../state/route.js';
import { hexOf, payloadName, streamOf, timestampOfMicros } from '../events.js';

const KEYS = ['kind', 'actor', 'stream', 'before'];

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
        onFilter={(text) => setParams({ q: text, until: undefined })}
      />
      <EventList key={q} q={q} />
    </>
  );
}

function EventList({ q }: { readonly q: string }) {
  const { ledger } = useRoute();
  const pin = usePin();
  const { values, problems } = parseFilter(q, KEYS);
  const kind = valueOfWord<EventKind>(EventKind, values['kind'] ?? '');
  const before = values['before'] === undefined ? 0n : typedPosition(values['before']);
  const wrong = [
    ...problems,
    ...(values['kind'] !== undefined && kind === undefined
      ? [`kind: is one of ${wordsOf(EventKind).join(', ')}`]
      : []),
    ...(before === undefined ? ['before: is a position'] : []),
  ];
  const wanted = {
    actor: values['actor'] ?? '',
    streamId: values['stream'] ?? '',
    kinds: kind === undefined ? [] : [kind],
    endPosition: lesser(before ?? 0n, pin === undefined ? 0n : pin + 1n),
  };
  usePageCall(EventQueryService.method.listEvents, {
    ...wanted,
    ledgerId: ledger,
    descending: true,
    pageSize: PAGE_ROWS,
  });
  const load = useLoader(wanted, wrong.length === 0);
  const list = useKeyset(`events|${ledger}|${q}|${String(pin)}`, load);
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
      />
    </>
  );
}

/** Of two bounds the one that cuts more; 0 is none. */
function lesser(one: bigint, two: bigint): bigint {
  if (one === 0n || two === 0n) return one + two;
  return one < two ? one : two;
}

interface Wanted {
  readonly actor: string;
  readonly streamId: string;
  readonly kinds: EventKind[];
  readonly endPosition: bigint;
}

function useLoader(wanted: Wanted, isRight: boolean) {
  const { ledger } = useRoute();
  const transport = useTransport();
  const consistency = useFreshness();
  return async (token: string, signal: AbortSignal): Promise<Page<EventRecord>> => {
    if (!isRight) return { rows: [], next: '' };
    return wholePage(token, async (page) => {
      const request = { ...wanted, ledgerId: ledger, consistency, descending: true, ...page };
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
