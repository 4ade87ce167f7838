/** The events that a view's store refused, and trying them again: in numbers before, by a typed word after. */
import { callUnaryMethod, useTransport } from '@connectrpc/connect-query';
import { useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import {
  ProjectionService,
  type RetryDeadLetterResponse,
} from '../../../../gen/quittance/ops/v1/projection_service_pb.js';
import { countText, eventsText } from '../numbers.js';
import { useRead } from '../state/reads.js';
import { linkIn, useRoute } from '../state/route.js';
import { useMay } from '../state/session.js';
import { FailureNote, Time } from './text.js';

const { method } = ProjectionService;
const SHOWN_MOST = 50;

export function DeadLetters({ projectionId }: { readonly projectionId: string }) {
  const { data, error } = useRead(method.listDeadLetters, { projectionId, pageSize: SHOWN_MOST });
  return (
    <>
      <FailureNote error={error} />
      <div className="scroll" tabIndex={0} role="region" aria-label={`Dead letters of ${projectionId}`}>
        <table>
          <thead>
            <tr>
              <th className="right">Position</th>
              <th>Ledger</th>
              <th>Stream</th>
              <th>Event</th>
              <th>Parked</th>
              <th className="right">Tries</th>
              <th>Why</th>
            </tr>
          </thead>
          <tbody>
            {data?.deadLetters.map((letter) => (
              <tr key={String(letter.position)}>
                <td className="right">
                  <a href={linkIn(letter.ledgerId, 'event', String(letter.position))}>
                    {countText(letter.position)}
                  </a>
                </td>
                <td>{letter.ledgerId}</td>
                <td>{letter.streamId}</td>
                <td>{letter.eventType}</td>
                <td>
                  <Time at={letter.parkTime} />
                </td>
                <td className="right">{letter.tries}</td>
                <td>
                  {letter.failure === '' ? `waits for ${countText(letter.behindPosition)}` : letter.failure}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      <Retry projectionId={projectionId} total={data?.totalCount ?? 0n} />
    </>
  );
}

function Retry({ projectionId, total }: { readonly projectionId: string; readonly total: bigint }) {
  const { ledger } = useRoute();
  const may = useMay();
  const transport = useTransport();
  const queries = useQueryClient();
  const [typed, setTyped] = useState('');
  const [answer, setAnswer] = useState<RetryDeadLetterResponse>();
  const [error, setError] = useState<Error | null>(null);
  if (!may(method.retryDeadLetter, ledger)) return null;
  const retry = async () => {
    setError(null);
    const request = { projectionId, target: { case: 'all' as const, value: true }, expectedCount: total };
    setAnswer(await callUnaryMethod(transport, method.retryDeadLetter, request));
    setTyped('');
    await queries.invalidateQueries();
  };
  const outcome =
    answer === undefined ? null : (
      <span role="status">
        {countText(answer.appliedCount)} of {countText(answer.matchedCount)} applied
      </span>
    );
  if (total === 0n) return outcome;
  return (
    <form
      className="filters"
      onSubmit={(event) => {
        event.preventDefault();
        retry().catch((failure: unknown) =>
          setError(failure instanceof Error ? failure : new Error(String(failure))),
        );
      }}
    >
      <label>
        To try {eventsText(total)} again, type <code>{projectionId}</code>{' '}
        <input
          value={typed}
          size={12}
          style={{ flex: 'none', minWidth: 0 }}
          onChange={({ target }) => setTyped(target.value)}
        />
      </label>
      <button type="submit" className="danger" disabled={typed !== projectionId}>
        Retry {eventsText(total)}
      </button>
      <FailureNote error={error} />
      {outcome}
    </form>
  );
}
