/** Which receivers get the events of the ledger, how far they are, and what they did not take. */
import { timestampDate } from '@bufbuild/protobuf/wkt';
import { EventKind } from '../../../../gen/quittance/query/v1/event_query_service_pb.js';
import {
  type Webhook,
  type WebhookDelivery,
  WebhookDeliveryState,
  WebhookService,
  WebhookState,
} from '../../../../gen/quittance/ops/v1/webhook_service_pb.js';
import { countText, eventsText } from '../numbers.js';
import { Empty, FailureNote, Id, Pairs, StateWord, Time } from '../parts/text.js';
import { wordOf } from '../parts/words.js';
import { useAct } from '../state/act.js';
import { usePageCall } from '../state/page-call.js';
import { OFTEN_MS, useRead } from '../state/reads.js';
import { linkTo, useRoute } from '../state/route.js';
import { useMay } from '../state/session.js';
import { distance } from '../times.js';

const { method } = WebhookService;
const SHOWN_MOST = 50;

export function WebhooksPage() {
  const { ledger } = useRoute();
  const { data, error } = useRead(method.listWebhooks, { ledgerId: ledger }, OFTEN_MS);
  usePageCall(method.listWebhooks, { ledgerId: ledger });
  const webhooks = data?.webhooks ?? [];
  return (
    <>
      <h1>Webhooks</h1>
      <FailureNote error={error} />
      {data !== undefined && webhooks.length === 0 ? (
        <Empty>
          Here would be each receiver to which the events of this ledger are posted, with how far it is.{' '}
          <code>quittance webhook create orders https://shop.example.com/hook</code> makes the first one.
        </Empty>
      ) : null}
      {webhooks.map((webhook) => (
        <WebhookPart key={webhook.webhookId} webhook={webhook} />
      ))}
    </>
  );
}

function WebhookPart({ webhook }: { readonly webhook: Webhook }) {
  const { webhookId, url, description, kinds, accountIds, position, ledgerPosition } = webhook;
  const { parkedCount, retrying } = webhook;
  return (
    <section className="part" aria-label={webhookId}>
      <div className="title">
        <h2>{webhookId}</h2>
        <WebhookWord webhook={webhook} />
        <span className="muted">{description}</span>
        <Controls webhook={webhook} />
      </div>
      <Pairs
        of={[
          ['Posts to', <Id key="url" value={url} />],
          ['Events', kinds.length === 0 ? 'all' : kinds.map((kind) => wordOf(EventKind, kind)).join(', ')],
          ['Accounts', accountIds.length === 0 ? 'all' : accountIds.join(', ')],
          ['Delivered up to', <EventLink key="position" position={position} />],
          [
            'Last event',
            position < ledgerPosition ? (
              <EventLink key="last" position={ledgerPosition} />
            ) : (
              'the same: nothing waits'
            ),
          ],
          [
            'Parked',
            parkedCount === 0n ? 'none' : <StateWord tone="bad">{eventsText(parkedCount)}</StateWord>,
          ],
        ]}
      />
      {retrying === undefined && parkedCount === 0n ? null : <Deliveries webhook={webhook} />}
    </section>
  );
}

function EventLink({ position }: { readonly position: bigint }) {
  return <a href={linkTo('event', String(position))}>{countText(position)}</a>;
}

function WebhookWord({ webhook: { state, pauseReason, retrying } }: { readonly webhook: Webhook }) {
  if (state === WebhookState.PAUSED)
    return <StateWord tone="warn">paused{pauseReason === '' ? '' : `: ${pauseReason}`}</StateWord>;
  if (retrying !== undefined) return <StateWord tone="bad">fails: {retrying.failure}</StateWord>;
  return <StateWord tone="good">active</StateWord>;
}

function Controls({ webhook: { webhookId, state, retrying } }: { readonly webhook: Webhook }) {
  const { ledger } = useRoute();
  const may = useMay();
  const { act, error } = useAct();
  if (!may(method.pauseWebhook, ledger)) return null;
  const of = { ledgerId: ledger, webhookId };
  const isPaused = state === WebhookState.PAUSED;
  return (
    <span className="end">
      <FailureNote error={error} />
      {isPaused || retrying !== undefined ? (
        <button type="button" onClick={() => act(method.resumeWebhook, of)}>
          {isPaused ? 'Resume' : 'Try now'}
        </button>
      ) : null}
      {isPaused ? null : (
        <button
          type="button"
          onClick={() => act(method.pauseWebhook, { ...of, reason: 'paused in the console' })}
        >
          Pause
        </button>
      )}
    </span>
  );
}

type RetryTarget =
  { readonly case: 'position'; readonly value: bigint } | { readonly case: 'all'; readonly value: true };

interface DeliveryRowProps {
  readonly delivery: WebhookDelivery;
  /** Undefined: it is not offered. */
  readonly onRetry: ((position: bigint) => void) | undefined;
}

function DeliveryRow({ delivery, onRetry }: DeliveryRowProps) {
  const { position, state, attempts, lastAttemptTime, nextAttemptTime, failure } = delivery;
  return (
    <tr>
      <td className="right">
        <EventLink position={position} />
      </td>
      <td>{wordOf(WebhookDeliveryState, state)}</td>
      <td className="right">{attempts}</td>
      <td>
        <Time at={lastAttemptTime} />
      </td>
      <td>{nextAttemptTime === undefined ? '' : distance(new Date(), timestampDate(nextAttemptTime))}</td>
      <td>{failure}</td>
      <td>
        {onRetry !== undefined && state === WebhookDeliveryState.PARKED ? (
          <button type="button" className="plain" onClick={() => onRetry(position)}>
            Send once more
          </button>
        ) : null}
      </td>
    </tr>
  );
}

/** What failed: the one that is tried again, and those that are parked until an operator sends them once more. */
function Deliveries({ webhook: { webhookId, parkedCount } }: { readonly webhook: Webhook }) {
  const { ledger } = useRoute();
  const may = useMay();
  const { act, error: refusal } = useAct();
  const of = { ledgerId: ledger, webhookId };
  const { data, error } = useRead(method.listWebhookDeliveries, { ...of, pageSize: SHOWN_MOST }, OFTEN_MS);
  const retry = (target: RetryTarget) => act(method.retryWebhookDelivery, { ...of, target });
  const mayRetry = may(method.retryWebhookDelivery, ledger);
  return (
    <>
      <FailureNote error={error ?? refusal} />
      <div className="scroll" tabIndex={0} role="region" aria-label={`Deliveries of ${webhookId}`}>
        <table>
          <thead>
            <tr>
              <th className="right">Position</th>
              <th>State</th>
              <th className="right">Attempts</th>
              <th>Last attempt</th>
              <th>Next attempt</th>
              <th>Why</th>
              <th>Do</th>
            </tr>
          </thead>
          <tbody>
            {data?.deliveries.map((delivery) => (
              <DeliveryRow
                key={String(delivery.position)}
                delivery={delivery}
                onRetry={mayRetry ? (position) => retry({ case: 'position', value: position }) : undefined}
              />
            ))}
          </tbody>
        </table>
      </div>
      {mayRetry && parkedCount > 0n ? (
        <div className="buttons">
          <button type="button" onClick={() => retry({ case: 'all', value: true })}>
            Send {eventsText(parkedCount)} once more
          </button>
        </div>
      ) : null}
    </>
  );
}
