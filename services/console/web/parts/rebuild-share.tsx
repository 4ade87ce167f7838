/** How far the rebuild of a read model is, while it runs. */
import { type Rebuild, RebuildPhase } from '../../../../gen/quittance/ops/v1/projection_service_pb.js';
import { countOf, shareOf } from '../numbers.js';
import { wordOf } from './words.js';

const PERCENT = 100;

export function isRunning({ phase }: Rebuild): boolean {
  return phase === RebuildPhase.FILLING || phase === RebuildPhase.COMPARING;
}

export function RebuildShare({ rebuild, head }: { readonly rebuild: Rebuild; readonly head: bigint }) {
  if (!isRunning(rebuild)) return null;
  const { phase, generation, position } = rebuild;
  const share = Math.floor(shareOf(position, head) * PERCENT);
  return (
    <span className="rebuild">
      <progress
        aria-label={`Rebuild of generation ${String(generation)}`}
        max={countOf(head === 0n ? 1n : head)}
        value={countOf(position)}
      />{' '}
      <span className="small">
        {wordOf(RebuildPhase, phase)} generation {generation}, {share} %
      </span>
    </span>
  );
}
