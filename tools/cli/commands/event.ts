/** `quittance event …` */
import { CommandSchema } from '../../../gen/quittance/command/v1/transaction_command_service_pb.js';
import {
  EventKind,
  EventQueryService,
  type EventRecord,
} from '../../../gen/quittance/query/v1/event_query_service_pb.js';
import { UsageError } from '../../../lib/process/command-line.js';
import { choice, one, position, several, text, value, wordsOf } from '../flags.js';
import { given } from '../given.js';
import { put } from '../io.js';
import { printPages } from '../pages.js';
import { printOne, printWatch } from '../printer.js';
import type { Session } from '../session.js';
import {
  CALL_FLAGS,
  FRESHNESS_FLAGS,
  LEDGER_FLAGS,
  LIST_FLAGS,
  ORDER_FLAGS,
  WATCH_FLAGS,
} from '../shared-flags.js';
import { jsonOf } from '../sheet.js';
import { EVENTS } from '../sheets/events.js';
import { type Noun, verb } from '../verb.js';
import { readWhen } from '../when.js';
import { timeOf } from './fields.js';
import { follow } from './follow.js';
import { forward } from './forward.js';
import { startOf } from './watch-start.js';

const methods = EventQueryService.method;

const list = verb({
  name: 'list',
  summary: 'list what was committed, in order',
  positionals: {},
  flags: {
    kind: several(choice('kind', 'only of this kind', wordsOf<EventKind>(EventKind))),
    stream: text('stream', 'only of this account, root transaction or ledger'),
    actor: text('actor', 'only of commands that this caller sent'),
    from: value('time', 'recorded then or later', readWhen),
    to: value('time', 'recorded before then', readWhen),
    start: value('position', 'from this position on', position),
    end: value('position', 'before this position', position),
    ...WATCH_FLAGS,
    ...ORDER_FLAGS,
    ...LIST_FLAGS,
    ...FRESHNESS_FLAGS,
    ...LEDGER_FLAGS,
    ...CALL_FLAGS,
  },
  examples: [
    ['quittance event list --desc --limit 10', 'the last ten'],
    ['quittance event list --kind account-frozen --kind account-unfrozen --from -7d', 'freezes of this week'],
    ['quittance event list -w --start 0 -o ndjson', 'all from the first one on, and what comes'],
  ],
  run: async (session, { flags }) => {
    if (flags.watch === true) return watch(session, flags);
    const filter = {
      ledgerId: session.ledger,
      streamId: flags.stream ?? '',
      actor: flags.actor ?? '',
      kinds: [...(flags.kind ?? [])],
      startPosition: flags.start ?? 0n,
      endPosition: flags.end ?? 0n,
      descending: flags.desc ?? false,
      ...given({
        startRecordedTime: timeOf(session, flags.from),
        endRecordedTime: timeOf(session, flags.to),
      }),
    };
    await printPages(session, EVENTS, async (page) => {
      const answer = await session.read(methods.listEvents, (consistency) => ({
        ...filter,
        consistency,
        ...page,
      }));
      return { rows: answer.events, nextPageToken: answer.nextPageToken, asOf: answer.asOf };
    });
    return undefined;
  },
});

const WATCH_REFUSES = ['kind', 'stream', 'actor', 'from', 'to', 'end', 'desc', 'limit', 'all'];

/** The server watches a whole ledger: a filter would be ignored, so it is refused. */
async function watch(
  session: Session,
  flags: { readonly start: bigint | undefined } & Readonly<Record<string, unknown>>,
): Promise<undefined> {
  const refused = WATCH_REFUSES.find((name) => flags[name] !== undefined);
  if (refused !== undefined)
    throw new UsageError(`--${refused} does not go with -w, which takes --start only`);
  const { ledger: ledgerId } = session;
  let resumeToken = '';
  const answers = follow(session, () =>
    session.stream('query', methods.watchEvents, { ledgerId, start: startOf(resumeToken, flags.start) }),
  );
  async function* events(): AsyncGenerator<EventRecord> {
    for await (const answer of answers) {
      resumeToken = answer.resumeToken;
      if (answer.event !== undefined) yield answer.event;
    }
  }
  await printWatch(session.io, session.format, EVENTS, events());
  return undefined;
}

const get = verb({
  name: 'get',
  summary: 'show an event and the command as it was sent',
  positionals: { position: one('its position') },
  flags: { ...LEDGER_FLAGS, ...CALL_FLAGS },
  examples: [['quittance event get 18231 -o json', 'with its payload and hash']],
  run: async (session, { args }) => {
    const request = { ledgerId: session.ledger, position: position(args.position) };
    const { event, asOf } = await session.call('query', methods.getEvent, request);
    if (event === undefined) return undefined;
    await printOne(session.io, session.format, EVENTS, { row: event });
    if (
      session.format.form === 'table' &&
      session.format.columns === undefined &&
      event.command !== undefined
    )
      await put(session.io, `\n${JSON.stringify(jsonOf(CommandSchema, event.command), undefined, 2)}\n`);
    session.sayAsOf(asOf);
    return undefined;
  },
});

export const EVENT: Noun = {
  name: 'event',
  plural: 'events',
  summary: 'the log: what was committed, in order',
  verbs: [list, get, forward],
};
