/** `quittance verify`: proves the books, and compares them with an anchor that was kept. */
import { createHash } from 'node:crypto';
import {
  LedgerService,
  VerifySubject,
  type VerifyLedgerResponse,
  type VerifyProgress,
  type VerifyVerdict,
} from '../../../gen/quittance/ops/v1/ledger_service_pb.js';
import { EventQueryService } from '../../../gen/quittance/query/v1/event_query_service_pb.js';
import { UsageError } from '../../../lib/process/command-line.js';
import { callErrorOf, isCallError } from '../../client/errors.js';
import { type Anchor, readAnchor } from '../anchor.js';
import { DONE, INTERRUPTED, PROOF_DIFFERS } from '../exit-codes.js';
import { idOf, maybe, text, toggle, wordOf } from '../flags.js';
import { say } from '../io.js';
import { writeJsonFile } from '../json-file.js';
import { printList } from '../printer.js';
import type { Session } from '../session.js';
import { CALL_FLAGS, LEDGER_FLAGS } from '../shared-flags.js';
import { hashText } from '../sheets/events.js';
import { PROOFS, type ProofRow } from '../sheets/proofs.js';
import { verb } from '../verb.js';

export const VERIFY = verb({
  name: 'verify',
  summary: 'prove that the log, the state tables and all read models of a ledger agree',
  positionals: { ledger: idOf('ledger', maybe('the ledger')) },
  flags: {
    anchor: text('file', 'compare the log with this anchor, if the file is there'),
    save: toggle('after a proof without a difference keep a new anchor in that file'),
    ...LEDGER_FLAGS,
    ...CALL_FLAGS,
  },
  examples: [
    ['quittance verify tour', 'exit code 6 if anything differs'],
    [
      'quittance verify tour --anchor anchor.json --save',
      'also against the last anchor, and keep the next one',
    ],
  ],
  notes: [
    'Keep anchors where those who can write the database cannot: they show that no history was rewritten.',
  ],
  run: async (session, { args: { ledger: named }, flags: { anchor: path, save } }) => {
    if (save === true && path === undefined) throw new UsageError('--save needs --anchor FILE');
    const ledgerId = named ?? session.ledger;
    const kept = path === undefined ? undefined : readAnchor(path, ledgerId);
    const seen: Seen = {};
    const rows = proofRows(session, { ledgerId, kept, seen });
    await printList(session.io, session.format, PROOFS, rows);
    if (seen.verdict === undefined) return INTERRUPTED;
    if (seen.isOk !== true) return PROOF_DIFFERS;
    if (save === true && path !== undefined)
      await saveAnchor(session, path, { ledgerId, verdict: seen.verdict });
    return DONE;
  },
});

/** What the stream has said, for the exit code. */
interface Seen {
  verdict?: VerifyVerdict;
  isOk?: boolean;
}

interface Proof {
  readonly ledgerId: string;
  readonly kept: Anchor | undefined;
  readonly seen: Seen;
}

async function* proofRows(session: Session, { ledgerId, kept, seen }: Proof): AsyncGenerator<ProofRow> {
  const anchored = kept === undefined ? undefined : await compareWithAnchor(session, kept);
  if (anchored !== undefined) yield anchored;
  const answers = session.stream('ops', LedgerService.method.verifyLedger, { ledgerId });
  for await (const answer of answers) {
    yield* rowsOf(answer);
    if (answer.event.case === 'progress') tellProgress(session, answer.event.value);
    if (answer.event.case !== 'verdict') continue;
    seen.verdict = answer.event.value;
    seen.isOk = seen.verdict.ok && anchored?.result !== 'differs';
    yield {
      ...NOTHING,
      subject: 'verdict',
      result: seen.isOk ? 'ok' : 'differs',
      position: seen.verdict.position,
      actual: hashText(seen.verdict),
    };
  }
}

const NOTHING = { position: undefined, entity: '', expected: '', actual: '', compared: undefined } as const;

function* rowsOf({ event }: VerifyLedgerResponse): Generator<ProofRow> {
  if (event.case === 'finding') {
    const { subject, position, entity, expected, actual } = event.value;
    yield {
      subject: wordOf(VerifySubject, subject),
      result: 'differs',
      position,
      entity,
      expected,
      actual,
      compared: undefined,
    };
  }
  if (event.case !== 'verdict') return;
  for (const { subject, compared, findings } of event.value.outcomes)
    yield {
      ...NOTHING,
      subject: wordOf(VerifySubject, subject),
      result: findings === 0n ? 'ok' : 'differs',
      compared,
      actual: findings === 0n ? '' : `${String(findings)} findings`,
    };
}

/** One line that is written over, where there is a terminal. */
function tellProgress({ io }: Session, { subject, done, total }: VerifyProgress): void {
  if (io.stderr.isTTY !== true) return;
  io.stderr.write(`\r\u001b[K${wordOf(VerifySubject, subject)} ${String(done)} of ${String(total)}`);
  if (done === total) io.stderr.write('\r\u001b[K');
}

/** Hashes the bytes that are stored at the anchor's position: what the server says of them is not asked. */
async function compareWithAnchor(session: Session, { ledger, position, hash }: Anchor): Promise<ProofRow> {
  const row = { ...NOTHING, subject: 'anchor', position: BigInt(position), expected: hash };
  try {
    const request = { ledgerId: ledger, position: row.position };
    const { storedEvent } = await session.call('query', EventQueryService.method.getEvent, request);
    const actual = createHash('sha256').update(storedEvent).digest('hex');
    return { ...row, actual, compared: 1n, result: actual === hash ? 'ok' : 'differs' };
  } catch (error) {
    // The log is shorter than it was, or holds an event of another ledger there.
    if (!isCallError(error) || !LOST.has(callErrorOf(error).reason)) throw error;
    return { ...row, actual: 'no event of the ledger is there', result: 'differs' };
  }
}

const LOST: ReadonlySet<string> = new Set(['POSITION_OUT_OF_RANGE', 'EVENT_NOT_FOUND']);

/** The ledger's last event up to the verdict's position, which is the shard's. */
async function saveAnchor(
  session: Session,
  path: string,
  { ledgerId, verdict }: { readonly ledgerId: string; readonly verdict: VerifyVerdict },
): Promise<void> {
  const { events } = await session.call('query', EventQueryService.method.listEvents, {
    ledgerId,
    consistency: { requirement: { case: 'fullyConsistent', value: true } },
    endPosition: verdict.position + 1n,
    descending: true,
    pageSize: 1,
  });
  const [last] = events;
  if (last?.event === undefined) throw new Error('a ledger that was proven has no event');
  const anchor: Anchor = { ledger: ledgerId, position: String(last.event.position), hash: hashText(last) };
  writeJsonFile(path, anchor);
  say(session.io, `anchor at position ${anchor.position} kept in ${path}`);
}
