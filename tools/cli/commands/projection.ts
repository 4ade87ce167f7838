/** `quittance projection …` */
import {
  type Projection,
  ProjectionService,
  RebuildPhase,
} from '../../../gen/quittance/ops/v1/projection_service_pb.js';
import { pause } from '../../../lib/base/pause.js';
import { FAILED } from '../exit-codes.js';
import { one, toggle } from '../flags.js';
import { say } from '../io.js';
import { printList, printOne, printWatch } from '../printer.js';
import type { Session } from '../session.js';
import { CALL_FLAGS, WATCH_FLAGS } from '../shared-flags.js';
import { PROJECTIONS } from '../sheets/projections.js';
import { type Noun, verb } from '../verb.js';
import { from } from './answer.js';
import { CONFIRM_FLAG, confirm } from './confirm.js';

const methods = ProjectionService.method;
const ID = { projection: one('balances, history or reports', ['balances', 'history', 'reports']) };
const LOOK_MS = 1_000;
const REBUILD_LOOK_MS = 200;

const list = verb({
  name: 'list',
  summary: 'list the read models: how far, how stale, in what state',
  positionals: {},
  flags: { ...WATCH_FLAGS, ...CALL_FLAGS },
  examples: [
    ['quittance projection list', 'now'],
    ['quittance projection list -w -o ndjson', 'every second'],
  ],
  run: async (session, { flags: { watch } }) => {
    const all = async () => (await session.call('ops', methods.listProjections, {})).projections;
    if (watch === true) await printWatch(session.io, session.format, PROJECTIONS, everySecond(session, all));
    else await printList(session.io, session.format, PROJECTIONS, from(await all()));
    return undefined;
  },
});

const get = verb({
  name: 'get',
  summary: 'show a read model, its failure and its rebuild',
  positionals: ID,
  flags: { ...WATCH_FLAGS, ...CALL_FLAGS },
  examples: [
    ['quittance projection get history', 'now'],
    ['quittance projection get history -w', 'every second'],
  ],
  run: async (session, { args: { projection: projectionId }, flags: { watch } }) => {
    if (watch === true) {
      const rows = everySecond(session, async () => [await projectionOf(session, projectionId)]);
      await printWatch(session.io, session.format, PROJECTIONS, rows);
    } else await printProjection(session, await projectionOf(session, projectionId));
    return undefined;
  },
});

const stop = verb({
  name: 'pause',
  summary: 'let a read model stand still; its reads get older',
  positionals: ID,
  flags: { ...CONFIRM_FLAG, ...CALL_FLAGS },
  examples: [['quittance projection pause reports --yes', 'without asking']],
  run: async (session, { args: { projection: projectionId }, flags: { yes } }) => {
    await confirm(session.io, `Pause ${projectionId}? Its reads get older until it is resumed.`, yes);
    const { projection } = await session.call('ops', methods.pauseProjection, { projectionId });
    await printProjection(session, projection);
    return undefined;
  },
});

const resume = verb({
  name: 'resume',
  summary: 'let a read model go on, after a pause or a failure',
  positionals: ID,
  flags: CALL_FLAGS,
  examples: [['quittance projection resume reports', 'it catches up']],
  run: async (session, { args: { projection: projectionId } }) => {
    const { projection } = await session.call('ops', methods.resumeProjection, { projectionId });
    await printProjection(session, projection);
    return undefined;
  },
});

const rebuild = verb({
  name: 'rebuild',
  summary: 'build a read model anew from the log, beside the one that serves',
  positionals: ID,
  flags: {
    acceptDifferences: toggle('serve the new one even where it differs from the old one'),
    watch: { ...toggle('wait for its end, and tell how far it is'), letter: 'w' },
    ...CONFIRM_FLAG,
    ...CALL_FLAGS,
  },
  examples: [['quittance projection rebuild history --watch', 'asks, then shows the progress']],
  run: async (
    session,
    { args: { projection: projectionId }, flags: { acceptDifferences = false, watch, yes } },
  ) => {
    const { headPosition } = await projectionOf(session, projectionId);
    const size = `${String(headPosition)} events are read from the log`;
    await confirm(session.io, `Rebuild ${projectionId}? ${size}; the old one serves meanwhile.`, yes);
    const request = { projectionId, acceptDifferences };
    const { projection } = await session.call('ops', methods.rebuildProjection, request);
    if (watch !== true) {
      await printProjection(session, projection);
      return undefined;
    }
    const rebuilt = await untilRebuilt(session, projectionId);
    await printProjection(session, rebuilt);
    return rebuilt.rebuild?.phase === RebuildPhase.DONE ? undefined : FAILED;
  },
});

/** Tells the progress of a rebuild whenever it has moved; ends with the rebuild, or with Ctrl-C. */
async function untilRebuilt(session: Session, projectionId: string): Promise<Projection> {
  let told = '';
  while (true) {
    const projection = await projectionOf(session, projectionId);
    const { phase = RebuildPhase.UNSPECIFIED, position = 0n } = projection.rebuild ?? {};
    const line = `${RebuildPhase[phase].toLowerCase()} ${String(position)} of ${String(projection.headPosition)}`;
    if (line !== told) say(session.io, line);
    told = line;
    const isOver = phase === RebuildPhase.DONE || phase === RebuildPhase.FAILED;
    if (isOver || session.io.signal.aborted) return projection;
    await pause(REBUILD_LOOK_MS, session.io.signal);
  }
}

async function projectionOf(session: Session, projectionId: string): Promise<Projection> {
  const { projection } = await session.call('ops', methods.getProjection, { projectionId });
  if (projection === undefined) throw new Error('the server answered without a projection');
  return projection;
}

async function printProjection(session: Session, projection: Projection | undefined): Promise<void> {
  if (projection !== undefined) await printOne(session.io, session.format, PROJECTIONS, { row: projection });
}

async function* everySecond<T>({ io }: Session, look: () => Promise<readonly T[]>): AsyncGenerator<T> {
  while (!io.signal.aborted) {
    yield* await look();
    await pause(LOOK_MS, io.signal);
  }
}

export const PROJECTION: Noun = {
  name: 'projection',
  plural: 'projections',
  summary: 'the read models: how far they are, and their rebuilds',
  verbs: [list, get, stop, resume, rebuild],
};
