/** What runs: each process, how it is set up, and how it stands. */
import { type Duration, durationMs } from '@bufbuild/protobuf/wkt';
import type { Transport } from '@connectrpc/connect';
import { useQuery } from '@connectrpc/connect-query';
import { ProjectionState } from '../../../../gen/quittance/ops/v1/projection_service_pb.js';
import {
  type GetSystemResponse,
  SystemMode,
  SystemService,
} from '../../../../gen/quittance/ops/v1/system_service_pb.js';
import { countText } from '../numbers.js';
import { ExactTime, FailureNote, Pairs, StateWord } from '../parts/text.js';
import { wordOf } from '../parts/words.js';
import { usePageCall } from '../state/page-call.js';
import { liveStore, OFTEN_MS } from '../state/reads.js';
import { settingsStore } from '../state/session.js';
import { useStore } from '../state/store.js';
import { processTransports } from '../state/transport.js';

const { getSystem } = SystemService.method;

export function SystemPage() {
  const settings = useStore(settingsStore);
  usePageCall(getSystem, {});
  return (
    <>
      <h1>System</h1>
      {processTransports(settings).map(({ origin, transport }) => (
        <Process key={origin} origin={origin} transport={transport} />
      ))}
    </>
  );
}

function Process({ origin, transport }: { readonly origin: string; readonly transport: Transport }) {
  const isLive = useStore(liveStore);
  const { data, error } = useQuery(getSystem, {}, { transport, refetchInterval: isLive && OFTEN_MS });
  return (
    <section className="part" aria-label={origin}>
      <div className="title">
        <h2>{data?.process ?? origin}</h2>
        {data === undefined ? null : (
          <span className="muted">
            {data.version}, {wordOf(SystemMode, data.mode)}
          </span>
        )}
      </div>
      <FailureNote error={error} />
      {data === undefined ? null : (
        <div className="columns">
          <Pairs of={standing(data)} />
          <Pairs of={setUp(data)} />
        </div>
      )}
    </section>
  );
}

type Rows = Parameters<typeof Pairs>[0]['of'];

/** How it stands now; what the process does not do is left out. */
function standing({ startTime, log, queue, lease, relay, views }: GetSystemResponse): Rows {
  return [
    ['Serves since', <ExactTime key="start" at={startTime} />],
    ['End of the log', log === undefined ? 'cannot be read' : countText(log.position)],
    ['Epoch', log === undefined ? '' : String(log.epoch)],
    ['Last event recorded', <ExactTime key="recorded" at={log?.recordedTime} />],
    ...(queue === undefined
      ? []
      : ([
          ['Commands', queue.deciding ? 'decided here' : 'sent on to the holder of the lease'],
          ['Queue', `${countText(queue.commands)} of ${countText(queue.commandsMax)} commands`],
          ['Tail in memory', `${countText(queue.tailEvents)} of ${countText(queue.tailEventsMax)} events`],
        ] as const)),
    ...(lease === undefined
      ? []
      : ([
          ['Lease', lease.held ? 'held here' : `held at ${lease.holderAddress}`],
          ['Term', countText(lease.term)],
        ] as const)),
    ...(relay === undefined
      ? []
      : ([
          [
            'Relay to Kafka',
            <StateWord key="relay" tone={relay.up ? 'good' : 'bad'}>
              {relay.up ? 'up' : 'down'}, {countText(relay.lagEvents)} events behind
            </StateWord>,
          ],
        ] as const)),
    ...views.map(
      ({ projectionId, position, state }) =>
        [`View ${projectionId}`, `${wordOf(ProjectionState, state)} at ${countText(position)}`] as const,
    ),
  ];
}

function setUp({ addresses, limits, authentication, services }: GetSystemResponse): Rows {
  return [
    ['gRPC', addresses?.grpc],
    ['Connect', addresses?.connect],
    ['Console', addresses?.console],
    ['Callers', callersText(authentication)],
    ['TLS', authentication?.tls === true ? 'on' : 'off'],
    ['Message', `at most ${countText(limits?.messageBytes ?? 0n)} bytes`],
    ['Call', `at most ${secondsText(limits?.unaryTime)}`],
    [
      'Streams',
      `${countText(limits?.streams ?? 0)}, ${countText(limits?.streamsPerConnection ?? 0)} per connection`,
    ],
    ['Commands of a caller', rateText(limits?.callerCommandsPerSecond)],
    ['Commands for a ledger', rateText(limits?.ledgerCommandsPerSecond)],
    ['Queries of a caller', rateText(limits?.callerQueriesPerSecond)],
    ['Services', services.map((name) => name.replace(/^quittance\./, '')).join(', ')],
  ];
}

function callersText(authentication: GetSystemResponse['authentication']): string {
  if (authentication?.required !== true) return 'are not asked who they are';
  return authentication.issuer === ''
    ? 'prove it by API keys'
    : `prove it by API keys, or tokens of ${authentication.issuer}`;
}

function rateText(perSecond: number | undefined): string {
  return perSecond === undefined || perSecond === 0
    ? 'as many as they like'
    : `${countText(perSecond)} per second`;
}

function secondsText(duration: Duration | undefined): string {
  return duration === undefined ? 'as long as it takes' : `${String(durationMs(duration) / 1_000)} s`;
}
