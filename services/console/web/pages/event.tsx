/** One event as it is stored: its payload, the command that made it, and its place in the chain, checked by the browser. */
import { toJson, toJsonString } from '@bufbuild/protobuf';
import { skipToken } from '@connectrpc/connect-query';
import { useEffect, useState } from 'react';
import { CommandSchema } from '../../../../gen/quittance/command/v1/transaction_command_service_pb.js';
import { EventSchema } from '../../../../gen/quittance/event/v1/event_pb.js';
import {
  EventQueryService,
  type EventRecord,
} from '../../../../gen/quittance/query/v1/event_query_service_pb.js';
import { hexOf, payloadName, streamOf, timestampOfMicros, uuidText } from '../events.js';
import { ExactTime, FailureNote, Id, Pairs, StateWord } from '../parts/text.js';
import { countText, typedPosition } from '../numbers.js';
import { usePageCall } from '../state/page-call.js';
import { SELDOM_MS, useFreshness, useRead } from '../state/reads.js';
import { linkTo, useRoute } from '../state/route.js';

export function EventPage() {
  const { ledger, id } = useRoute();
  const position = typedPosition(id);
  const of = (at: bigint) => ({ ledgerId: ledger, position: at });
  const found = useRead(
    EventQueryService.method.getEvent,
    position === undefined ? skipToken : of(position),
    false,
  );
  const near = { ledgerId: ledger, consistency: useFreshness(), pageSize: 1 };
  const next = useRead(
    EventQueryService.method.listEvents,
    position === undefined ? skipToken : { ...near, startPosition: position + 1n },
    SELDOM_MS,
  );
  // Of several ledgers in one log each has its own positions: the one before is asked for, not counted.
  const before = useRead(
    EventQueryService.method.listEvents,
    position === undefined || position < 2n
      ? skipToken
      : { ...near, endPosition: position, descending: true },
    false,
  );
  usePageCall(EventQueryService.method.getEvent, of(position ?? 0n));
  const record = found.data?.event;
  if (position === undefined) return <p className="error">“{id}” is no position.</p>;
  return (
    <>
      <FailureNote error={found.error} />
      {record?.event === undefined ? null : (
        <>
          <div className="title">
            <h1>{payloadName(record.event)}</h1>
            <span className="muted">at position {countText(position)}</span>
            <span className="end">
              <Neighbour record={before.data?.events[0]} words="← before" />
              <Neighbour record={next.data?.events[0]} words="after →" />
            </span>
          </div>
          <Summary record={record} />
          <Chain
            record={record}
            stored={found.data?.storedEvent ?? new Uint8Array()}
            next={next.data?.events.find(({ event }) => event?.position === position + 1n)}
          />
          {record.command === undefined ? null : (
            <section className="part" aria-label="Command">
              <h2>The command as it was sent</h2>
              <pre tabIndex={0}>{toJsonString(CommandSchema, record.command, { prettySpaces: 2 })}</pre>
            </section>
          )}
          <section className="part" aria-label="Event">
            <h2>The event</h2>
            <pre tabIndex={0}>{eventText(record)}</pre>
          </section>
        </>
      )}
    </>
  );
}

/** A link to another event of the ledger; nothing where there is none. */
function Neighbour({ record, words }: { readonly record: EventRecord | undefined; readonly words: string }) {
  const position = record?.event?.position;
  return position === undefined ? null : <a href={linkTo('event', String(position))}>{words}</a>;
}

/** The command is shown decoded, apart from the event: there it is bytes. */
function eventText({ event }: EventRecord): string {
  if (event === undefined) return '';
  const json = toJson(EventSchema, event);
  return JSON.stringify(json, (key, value: unknown) => (key === 'canonicalBody' ? undefined : value), 2);
}

function Summary({ record: { event } }: { readonly record: EventRecord }) {
  if (event === undefined) return null;
  const { stream, requestId } = event;
  const streamId = streamOf(event);
  const href =
    stream.case === 'transactionStreamId' ? linkTo('transaction', streamId) : linkTo('account', streamId);
  return (
    <Pairs
      of={[
        ['Recorded', <ExactTime key="time" at={timestampOfMicros(event.recordedTimeMicros)} />],
        ['Stream', streamId === '' ? 'the ledger' : <Id key="stream" value={streamId} href={href} />],
        [
          'Request',
          requestId.length === 0 ? (
            'none: by the platform itself'
          ) : (
            <Id key="request" value={uuidText(requestId)} />
          ),
        ],
        ['Actor', event.actor],
        ['Trace', event.traceId.length === 0 ? 'none' : <Id key="trace" value={hexOf(event.traceId)} />],
        ['Shard, epoch', `${String(event.shard)}, ${String(event.epoch)}`],
      ]}
    />
  );
}

interface ChainProps {
  readonly record: EventRecord;
  readonly stored: Uint8Array;
  readonly next: EventRecord | undefined;
}

/** The browser hashes the stored bytes itself, and looks whether the next event names that hash. */
function Chain({ record, stored, next }: ChainProps) {
  const [computed, setComputed] = useState('');
  useEffect(() => {
    let isCurrent = true;
    void crypto.subtle.digest('SHA-256', new Uint8Array(stored)).then((digest) => {
      if (isCurrent) setComputed(hexOf(new Uint8Array(digest)));
    });
    return () => {
      isCurrent = false;
    };
  }, [stored]);
  const told = hexOf(record.hash);
  const follows = next?.event === undefined ? undefined : hexOf(next.event.previousHash) === told;
  return (
    <section className="part" aria-label="Chain">
      <h2>Chain</h2>
      <Pairs
        of={[
          ['Hash', <Id key="hash" value={told} />],
          [
            'Computed here',
            computed === '' ? (
              'not yet'
            ) : computed === told ? (
              <StateWord tone="good">the {countText(stored.length)} stored bytes have this SHA-256</StateWord>
            ) : (
              <StateWord tone="bad">the stored bytes have another SHA-256: {computed}</StateWord>
            ),
          ],
          [
            'Hash before',
            <span key="before" className="mono">
              {hexOf(record.event?.previousHash ?? new Uint8Array())}
            </span>,
          ],
          [
            'Next event',
            follows === undefined ? (
              'is of another ledger, or there is none yet'
            ) : follows ? (
              <StateWord tone="good">names this hash</StateWord>
            ) : (
              <StateWord tone="bad">names another hash</StateWord>
            ),
          ],
        ]}
      />
    </section>
  );
}
