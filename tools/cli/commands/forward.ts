/** `quittance event forward`: every event to a URL, in order, none lost. */
import {
  EventQueryService,
  type EventRecord,
  EventRecordSchema,
} from '../../../gen/quittance/query/v1/event_query_service_pb.js';
import { pause } from '../../../lib/base/pause.js';
import { StartError } from '../../../lib/base/start-error.js';
import { UsageError } from '../../../lib/process/command-line.js';
import { position, text, value } from '../flags.js';
import { type Io, say } from '../io.js';
import { writeJsonFile } from '../json-file.js';
import { type ResumePoint, readResumePoint } from '../resume-file.js';
import { CALL_FLAGS, LEDGER_FLAGS } from '../shared-flags.js';
import { jsonOf } from '../sheet.js';
import { eventName, streamOf } from '../sheets/events.js';
import { verb } from '../verb.js';
import { follow } from './follow.js';
import { startOf } from './watch-start.js';

const POST_MS = 30_000;
const FIRST_PAUSE_MS = 200;
const MAX_PAUSE_MS = 10_000;
const TOO_MANY = 429;
const REQUEST_TIMEOUT = 408;
const SERVER_ERROR = 500;

const { output: _output, columns: _columns, ...CONNECTION } = CALL_FLAGS;

export const forward = verb({
  name: 'forward',
  summary: 'send every event to a URL, in order, until Ctrl-C',
  positionals: {},
  flags: {
    to: text('url', 'where each event is posted as JSON, http or https'),
    from: value('position', 'begin with the first event from here on (default: with what comes)', position),
    resumeFile: text('file', 'keep up to where events were taken, and go on after it'),
    ...LEDGER_FLAGS,
    ...CONNECTION,
  },
  examples: [
    ['quittance event forward --to http://localhost:3000/hook', 'what comes from now on'],
    [
      'quittance event forward --to http://localhost:3000/hook --from 0 --resume-file orders.resume',
      'all of it, over restarts too',
    ],
  ],
  notes: [
    'An event is taken when the answer is a success (2xx). After 5xx, 408, 429 or no answer the same event is sent again, and none behind it before; ' +
      'any other answer ends the run, so that no event is left out. With a resume file an event may come twice after a crash, with the same ce-id, and none is lost.',
  ],
  run: async (session, { flags }) => {
    const target = targetOf(flags.to);
    const { ledger, io } = session;
    const known = flags.resumeFile === undefined ? undefined : readResumePoint(flags.resumeFile, ledger);
    if (known !== undefined) say(io, `going on after position ${known.position}`);
    let resumeToken = known?.resumeToken ?? '';
    const answers = follow(session, () =>
      session.stream('query', EventQueryService.method.watchEvents, {
        ledgerId: ledger,
        start: startOf(resumeToken, flags.from),
      }),
    );
    let count = 0;
    for await (const answer of answers) {
      if (answer.event !== undefined) {
        if (!(await deliver(io, target, answer.event))) break;
        count += 1;
      }
      // A heartbeat moves the token too: after it there is nothing that was not taken.
      ({ resumeToken } = answer);
      const at = answer.event?.event?.position ?? answer.asOf?.position ?? 0n;
      const point: ResumePoint = { ledger, position: String(at), resumeToken };
      if (flags.resumeFile !== undefined) writeJsonFile(flags.resumeFile, point);
    }
    say(io, `${String(count)} events forwarded`);
    return undefined;
  },
});

function targetOf(typed: string | undefined): URL {
  if (typed === undefined || !URL.canParse(typed) || !/^https?:/.test(typed))
    throw new UsageError('name where events go: --to http://HOST/PATH');
  return new URL(typed);
}

/** Posts one event until it is taken. @returns false if Ctrl-C came first. @throws StartError if the answer refuses it */
async function deliver(io: Io, target: URL, record: EventRecord): Promise<boolean> {
  const { event } = record;
  if (event === undefined) return true;
  const at = `position ${String(event.position)}`;
  const body = JSON.stringify(jsonOf(EventRecordSchema, record));
  const headers = {
    'content-type': 'application/json',
    'ce-specversion': '1.0',
    'ce-id': `${String(event.shard)}-${String(event.epoch)}-${String(event.position)}`,
    'ce-source': `/quittance/shards/${String(event.shard)}`,
    'ce-type': event.payload.value?.$typeName ?? '',
    'ce-subject': encodeURI(streamOf(event)),
    'ce-partitionkey': event.ledgerId,
  };
  for (let pause_ms = FIRST_PAUSE_MS; !io.signal.aborted; pause_ms = Math.min(pause_ms * 2, MAX_PAUSE_MS)) {
    const problem = await post(io, target, { headers, body });
    if (problem === undefined) return true;
    if (problem.isFinal)
      throw new StartError(
        `${at} (${eventName(event)}) was refused: ${problem.text}; nothing behind it was sent`,
      );
    if (pause_ms === FIRST_PAUSE_MS) say(io, `${at} was not taken: ${problem.text}; sending it again`);
    await pause(pause_ms, io.signal);
  }
  return false;
}

interface Problem {
  readonly text: string;
  /** Sending it again would not help. */
  readonly isFinal: boolean;
}

async function post(
  io: Io,
  target: URL,
  request: { readonly headers: Record<string, string>; readonly body: string },
): Promise<Problem | undefined> {
  try {
    const signal = AbortSignal.any([io.signal, AbortSignal.timeout(POST_MS)]);
    const answer = await fetch(target, { method: 'POST', redirect: 'manual', signal, ...request });
    // The connection is used again once the body is read.
    await answer.arrayBuffer();
    if (answer.ok) return undefined;
    const { status } = answer;
    const isFinal = status < SERVER_ERROR && status !== TOO_MANY && status !== REQUEST_TIMEOUT;
    return { text: `HTTP ${String(status)}`, isFinal };
  } catch (error) {
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
    return { text: cause instanceof Error ? cause.message : String(cause), isFinal: false };
  }
}
