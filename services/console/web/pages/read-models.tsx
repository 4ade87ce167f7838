/** How far are the read models, why did one fail, how goes the rebuild? */
import { timestampDate } from '@bufbuild/protobuf/wkt';
import { useState } from 'react';
import {
  type Projection,
  ProjectionService,
  ProjectionState,
  type Rebuild,
  RebuildPhase,
} from '../../../../gen/quittance/ops/v1/projection_service_pb.js';
import { ProjectionWord } from './overview.js';
import { DeadLetters } from '../parts/dead-letters.js';
import { isRunning, RebuildShare } from '../parts/rebuild-share.js';
import { FailureNote, StateWord, Time } from '../parts/text.js';
import { wordOf } from '../parts/words.js';
import { countText } from '../numbers.js';
import { useAct } from '../state/act.js';
import { usePageCall } from '../state/page-call.js';
import { OFTEN_MS, useRead } from '../state/reads.js';
import { useRoute } from '../state/route.js';
import { useMay } from '../state/session.js';
import { distance } from '../times.js';

const { method } = ProjectionService;

export function ReadModelsPage() {
  const { data, error } = useRead(method.listProjections, {}, OFTEN_MS);
  usePageCall(method.listProjections, {});
  const projections = data?.projections ?? [];
  return (
    <>
      <h1>Read models</h1>
      <FailureNote error={error} />
      {projections.map((projection) => (
        <ProjectionPart key={projection.projectionId} projection={projection} />
      ))}
    </>
  );
}

function ProjectionPart({ projection }: { readonly projection: Projection }) {
  const {
    projectionId,
    store,
    generation,
    position,
    headPosition,
    lagEvents,
    lagTime,
    positionTime,
    rebuild,
    deadLetters,
  } = projection;
  // What a retry came to stays to be read when none is left.
  const [hadDeadLetters, setHadDeadLetters] = useState(false);
  if (deadLetters > 0n && !hadDeadLetters) setHadDeadLetters(true);
  return (
    <section className="part" aria-label={projectionId}>
      <div className="title">
        <h2>{projectionId}</h2>
        <ProjectionWord projection={projection} />
        <span className="muted">
          on {store}, generation {generation}
        </span>
        <Controls projection={projection} />
      </div>
      <dl className="figures">
        <Figure name="Applied up to" value={countText(position)} />
        <Figure name="End of the log" value={countText(headPosition)} />
        <Figure name="Events behind" value={countText(lagEvents)} />
        <Figure name="Behind by" value={`${countText(lagTime?.seconds ?? 0n)} s`} />
        <Figure name="Dead letters" value={countText(deadLetters)} />
      </dl>
      <p className="muted small">
        Last event recorded <Time at={positionTime} />
      </p>
      {rebuild === undefined ? null : <RebuildLine rebuild={rebuild} head={headPosition} />}
      {hadDeadLetters ? <DeadLetters projectionId={projectionId} /> : null}
    </section>
  );
}

function Figure({ name, value }: { readonly name: string; readonly value: string }) {
  return (
    <div className="figure">
      <dt>{name}</dt>
      <dd>{value}</dd>
    </div>
  );
}

function RebuildLine({ rebuild, head }: { readonly rebuild: Rebuild; readonly head: bigint }) {
  const { phase, generation, position, comparedRows, differentRows, failure } = rebuild;
  const began = rebuild.startTime === undefined ? undefined : timestampDate(rebuild.startTime);
  const tone = phase === RebuildPhase.FAILED ? 'bad' : phase === RebuildPhase.DONE ? 'good' : 'warn';
  return (
    <div className="part">
      <p role="status">
        Rebuild of generation {generation}: <StateWord tone={tone}>{wordOf(RebuildPhase, phase)}</StateWord>,
        at {countText(position)} of {countText(head)}, {countText(comparedRows)} rows compared,{' '}
        {countText(differentRows)} differ. {failure}
      </p>
      {isRunning(rebuild) ? (
        <p>
          <RebuildShare rebuild={rebuild} head={head} />
          {began === undefined ? null : (
            <span className="muted small">, began {distance(new Date(), began)}; this generation serves</span>
          )}
        </p>
      ) : null}
    </div>
  );
}

/** What a rebuild does is said before: it fills a second generation from the whole log while the first one serves. */
function Controls({
  projection: { projectionId, state, headPosition },
}: {
  readonly projection: Projection;
}) {
  const { ledger } = useRoute();
  const may = useMay();
  const [isAsking, setAsking] = useState(false);
  const { act, error } = useAct();
  const isPaused = state === ProjectionState.PAUSED;
  if (!may(method.rebuildProjection, ledger)) return null;
  return (
    <span className="end">
      <FailureNote error={error} />
      {isAsking ? (
        <>
          <span>
            {countText(headPosition)} events are read again into a new generation; this one serves until both
            agree.
          </span>
          <button
            type="button"
            className="danger"
            onClick={() => {
              setAsking(false);
              act(method.rebuildProjection, { projectionId });
            }}
          >
            Rebuild {projectionId}
          </button>
          <button type="button" onClick={() => setAsking(false)}>
            Leave it
          </button>
        </>
      ) : (
        <>
          <button
            type="button"
            onClick={() =>
              isPaused
                ? act(method.resumeProjection, { projectionId })
                : act(method.pauseProjection, { projectionId })
            }
          >
            {isPaused ? 'Resume' : 'Pause'}
          </button>
          <button type="button" onClick={() => setAsking(true)}>
            Rebuild…
          </button>
        </>
      )}
    </span>
  );
}
