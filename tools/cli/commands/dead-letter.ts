/** `quittance dead-letter …` */
import { ProjectionService } from '../../../gen/quittance/ops/v1/projection_service_pb.js';
import { UsageError } from '../../../lib/process/command-line.js';
import { FAILED } from '../exit-codes.js';
import { one, position, text, toggle, value } from '../flags.js';
import { say } from '../io.js';
import { printPages } from '../pages.js';
import { printOne } from '../printer.js';
import { CALL_FLAGS, LEDGER_FLAGS, LIST_FLAGS } from '../shared-flags.js';
import { DEAD_LETTERS, PROJECTIONS } from '../sheets/projections.js';
import { type Noun, verb } from '../verb.js';
import { CONFIRM_FLAG, confirm } from './confirm.js';

const methods = ProjectionService.method;
const ID = { projection: one('balances, history or reports', ['balances', 'history', 'reports']) };

const list = verb({
  name: 'list',
  summary: 'list events that a read model could not apply, and what waits behind them',
  positionals: ID,
  flags: {
    stream: text('stream', 'only of this stream; name its ledger too'),
    refused: toggle('only those that were refused, without those that wait behind'),
    ...LIST_FLAGS,
    ...LEDGER_FLAGS,
    ...CALL_FLAGS,
  },
  examples: [['quittance dead-letter list history --refused', 'the causes']],
  run: async (
    session,
    { args: { projection: projectionId }, flags: { stream = '', refused = false, ledger = '' } },
  ) => {
    await printPages(session, DEAD_LETTERS, async (page) => {
      const request = { projectionId, ledgerId: ledger, streamId: stream, refusedOnly: refused, ...page };
      const { deadLetters, nextPageToken } = await session.call('ops', methods.listDeadLetters, request);
      return { rows: deadLetters, nextPageToken, asOf: undefined };
    });
    return undefined;
  },
});

const retry = verb({
  name: 'retry',
  summary: 'apply dead letters once their cause is mended',
  positionals: ID,
  flags: {
    position: value('position', 'the one at this position', position),
    stream: text('stream', 'those of a stream; name its ledger by --ledger'),
    all: toggle('all of the read model'),
    dryRun: toggle('say how many it would be'),
    ...LEDGER_FLAGS,
    ...CONFIRM_FLAG,
    ...CALL_FLAGS,
  },
  examples: [
    ['quittance dead-letter retry history --all --dry-run', 'how many there are'],
    ['quittance dead-letter retry history --position 18231 --yes', 'one, without asking'],
  ],
  run: async (session, { args: { projection: projectionId }, flags }) => {
    const target = targetOf(flags.position, flags.stream, flags.all, () => session.ledger);
    const preview = await session.call('ops', methods.retryDeadLetter, {
      projectionId,
      target,
      validateOnly: true,
    });
    say(session.io, `${String(preview.matchedCount)} dead letters match`);
    if (flags.dryRun === true) return undefined;
    await confirm(
      session.io,
      `Apply ${String(preview.matchedCount)} dead letters of ${projectionId}?`,
      flags.yes,
    );
    const answer = await session.call('ops', methods.retryDeadLetter, {
      projectionId,
      target,
      expectedCount: preview.matchedCount,
    });
    const { appliedCount, firstFailed, projection } = answer;
    say(session.io, `${String(appliedCount)} of ${String(answer.matchedCount)} applied`);
    if (projection !== undefined)
      await printOne(session.io, session.format, PROJECTIONS, { row: projection });
    if (firstFailed === undefined) return undefined;
    say(session.io, `at position ${String(firstFailed.position)}: ${firstFailed.failure}`);
    return FAILED;
  },
});

function targetOf(
  at: bigint | undefined,
  streamId: string | undefined,
  all: boolean | undefined,
  ledgerOf: () => string,
) {
  const named = [at, streamId, all].filter((each) => each !== undefined);
  if (named.length !== 1) throw new UsageError('name one of --position, --stream and --all');
  if (at !== undefined) return { case: 'position', value: at } as const;
  if (streamId === undefined) return { case: 'all', value: true } as const;
  return { case: 'stream', value: { ledgerId: ledgerOf(), streamId } } as const;
}

export const DEAD_LETTER: Noun = {
  name: 'dead-letter',
  plural: 'dead-letters',
  summary: 'events that a read model could not apply',
  verbs: [list, retry],
};
