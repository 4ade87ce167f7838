/** How projections and dead letters are shown. */
import {
  type DeadLetter,
  DeadLetterSchema,
  type Projection,
  ProjectionSchema,
  ProjectionState,
  RebuildPhase,
} from '../../../gen/quittance/ops/v1/projection_service_pb.js';
import { wordOf } from '../flags.js';
import { jsonOf, type Sheet } from '../sheet.js';
import { briefOf, isoOf } from '../when.js';

const MS_PER_SECOND = 1_000n;
const NANOS_PER_MS = 1_000_000;

export const PROJECTIONS: Sheet<Projection> = {
  columns: [
    { name: 'projection', of: ({ projectionId }) => projectionId },
    { name: 'state', of: ({ state }) => wordOf(ProjectionState, state) },
    { name: 'position', of: ({ position }) => String(position), isRight: true },
    { name: 'lag-events', of: ({ lagEvents }) => String(lagEvents), isRight: true },
    { name: 'lag-ms', of: lagText, isRight: true },
    { name: 'dead-letters', of: ({ deadLetters }) => String(deadLetters), isRight: true },
    { name: 'generation', of: ({ generation }) => String(generation), isRight: true },
    { name: 'store', of: ({ store }) => store },
    { name: 'rebuild', of: rebuildText },
    { name: 'failure', of: ({ failure }) => failure },
    { name: 'head', of: ({ headPosition }) => String(headPosition), isRight: true, isWide: true },
    {
      name: 'position-time',
      of: ({ positionTime }) => isoOf(positionTime),
      brief: ({ positionTime }) => briefOf(positionTime),
      isWide: true,
    },
  ],
  id: ({ projectionId }) => projectionId,
  json: (projection) => jsonOf(ProjectionSchema, projection),
};

export const DEAD_LETTERS: Sheet<DeadLetter> = {
  columns: [
    { name: 'position', of: ({ position }) => String(position), isRight: true },
    { name: 'ledger', of: ({ ledgerId }) => ledgerId },
    { name: 'stream', of: ({ streamId }) => streamId },
    { name: 'event', of: ({ eventType }) => eventType },
    { name: 'behind', of: ({ behindPosition }) => String(behindPosition), isRight: true },
    { name: 'tries', of: ({ tries }) => String(tries), isRight: true },
    { name: 'failure', of: ({ failure }) => failure },
    {
      name: 'parked',
      of: ({ parkTime }) => isoOf(parkTime),
      brief: ({ parkTime }) => briefOf(parkTime),
      isWide: true,
    },
    { name: 'recorded', of: ({ recordedTime }) => isoOf(recordedTime), isWide: true },
  ],
  id: ({ position }) => String(position),
  json: (letter) => jsonOf(DeadLetterSchema, letter),
};

function lagText({ lagTime }: Projection): string {
  if (lagTime === undefined) return '';
  return String(lagTime.seconds * MS_PER_SECOND + BigInt(Math.floor(lagTime.nanos / NANOS_PER_MS)));
}

function rebuildText({ rebuild }: Projection): string {
  if (rebuild === undefined || rebuild.phase === RebuildPhase.UNSPECIFIED) return '';
  const differences = rebuild.differentRows === 0n ? '' : `, ${String(rebuild.differentRows)} rows differ`;
  return `${wordOf(RebuildPhase, rebuild.phase)} at ${String(rebuild.position)}${differences}`;
}
