/**
 * How fresh a read is: waits for views, checks of tokens against the log, and what an answer says it is as
 * of.
 */
import { create } from '@bufbuild/protobuf';
import { LRUCache } from 'lru-cache';
import { type AsOf, AsOfSchema, type Consistency } from '../../gen/quittance/common/v1/consistency_pb.js';
import { ErrorReason } from '../../gen/quittance/common/v1/error_reason_pb.js';
import { type EpochStart, epochStarts, isLost } from '../../lib/log/epochs/forks.js';
import type { LogReader } from '../../lib/log/reader.js';
import { BEFORE_THE_LOG, type LogPoint } from '../../lib/log/recorded-event.js';
import type { Call } from '../../lib/rpc/call.js';
import { type CallError, fail } from '../../lib/rpc/errors.js';
import {
  type Span,
  type SpanPoint,
  spanPointOfEvent,
  type SpanStart,
  type Tracer,
} from '../../lib/observe/tracing.js';
import { timestampOf } from '../../lib/base/time.js';
import {
  decodeConsistencyToken,
  encodeConsistencyToken,
  type PageToken,
  type TokenPoint,
} from '../../lib/rpc/tokens.js';
import type { Checkpoint } from '../../lib/views/view.js';
import { isSameHash } from './hashes.js';
import { ReadFigures, type WaitResult } from './metrics.js';
import type { ReadableView, ViewGetter } from './serving-view.js';
import { SharedRead } from './shared-read.js';
import { isParkedBefore, type NotReached, ViewPoller, type WaitTarget, wholeFor } from './view-poller.js';
import { hexOf, isSameBytes } from '../../lib/base/bytes.js';

/** What a read asks of its view before it may answer. All that is given must hold. */
export interface Requirement {
  /** The request's own field; undefined: minimize_latency. */
  readonly consistency?: Consistency | undefined;
  /** A position that the request names: POSITION_OUT_OF_RANGE beyond the log's end. */
  readonly position?: bigint | undefined;
  /** The page token of a later page: the view must have reached what the first page was as of. */
  readonly page?: PageToken | undefined;
  /** The ledger that is read; null: the list of ledgers; undefined: all ledgers of the partition. */
  readonly ledgerId?: string | null;
  /** Whether the read waits for an event that is parked. Others fail at once: most often it will take long. */
  readonly waitsForParked?: boolean;
}

/** Which kind of token is checked: what its failures are called. */
type TokenReason =
  ErrorReason.INVALID_CONSISTENCY_TOKEN | ErrorReason.INVALID_RESUME_TOKEN | ErrorReason.INVALID_PAGE_TOKEN;

/** What a read waits for. */
type Point = Pick<WaitTarget, 'epoch' | 'position' | 'knownEpoch'>;
/** Waits until a view is at a point; `later_epoch`: it shows an epoch that the caller did not know of. */
type Wait = (point: Point) => Promise<'reached' | 'later_epoch'>;

/** Tunables; the defaults are what production uses. */
export interface FreshnessOptions {
  /** How long a read waits for its view if its caller set no deadline. */
  readonly readDeadline_ms?: number | undefined;
  /** Milliseconds since 1970. */
  readonly now?: () => number;
  /** Absent where traces are off. */
  readonly tracer?: Tracer | undefined;
  /** What counts the waits. */
  readonly figures?: ReadFigures | undefined;
}

/** How long a read waits for its view if its caller set no deadline: what the contracts promise. */
const READ_DEADLINE_MS = 5_000;
/** A read fails this long before its deadline, so that the caller gets our error and not the deadline's. */
export const READ_MARGIN_MS = 50;
/** Tokens whose hash was found in the log. */
const VERIFIED_TOKENS = 10_000;
/**
 * A restored log is noticed after this time at the latest, also by a caller who always brings the same token.
 */
const VERIFIED_MS = 60_000;

/** How often the end of the log is read while views are: a view must not be read for long after the log has lost what it holds. */
const LOOK_MS = 500;

/** Knows the log's end and the views' checkpoints, and makes reads wait for them. One per process. */
export class Freshness {
  readonly #log: LogReader;
  readonly #readDeadline_ms: number;
  readonly #now: () => number;
  readonly #figures: ReadFigures;
  readonly #tracer: Tracer | undefined;
  readonly #head: SharedRead<LogPoint>;
  readonly #pollers = new WeakMap<ViewGetter<ReadableView>, Map<number, ViewPoller>>();
  readonly #verified = new LRUCache<string, true>({ max: VERIFIED_TOKENS, ttl: VERIFIED_MS });
  /** The latest epoch that the log or a view has shown. */
  #knownEpoch = 0;
  /** The end of the log when it was last read. */
  #end: LogPoint = BEFORE_THE_LOG;
  /** The end of a log that was restored since to an older one, until a new epoch begins; undefined: it was not. */
  #lostEnd: LogPoint | undefined;
  #logId: Promise<Uint8Array> | undefined;
  #lookedAt_ms = -Infinity;
  /** Where epochs begin in the log, as of the latest one. */
  #epochs: { readonly latest: number; readonly starts: Promise<readonly EpochStart[]> } | undefined;

  constructor(log: LogReader, opts: FreshnessOptions = {}) {
    this.#log = log;
    this.#readDeadline_ms = opts.readDeadline_ms ?? READ_DEADLINE_MS;
    this.#now = opts.now ?? Date.now;
    this.#figures = opts.figures ?? new ReadFigures();
    this.#tracer = opts.tracer;
    this.#head = new SharedRead(async () => {
      const head = await log.head();
      this.#ends(head);
      return head;
    });
  }

  /** The 16 bytes that name the log; read once. */
  logId(): Promise<Uint8Array> {
    this.#logId ??= this.#log.logId().catch((error: unknown) => {
      this.#logId = undefined;
      throw error;
    });
    return this.#logId;
  }

  /** The log's end by a read that begins after this call; calls at the same time share it. */
  head(): Promise<LogPoint> {
    return this.#head.get();
  }

  /**
   * Makes sure that the log has what an answer is as of. A view that holds what the log has lost serves until it is built again: what
   * it says is no state that the ledger ever had, as far as the log knows. It is noticed by the end of the log, which is read in the
   * background: a read does not wait for the log.
   * @throws CallError NOT_SERVING
   */
  async requireKept(point: Pick<LogPoint, 'epoch' | 'position'>): Promise<void> {
    if (performance.now() - this.#lookedAt_ms > LOOK_MS) {
      this.#lookedAt_ms = performance.now();
      this.head().catch(() => undefined);
    }
    const { epoch, position } = this.#end;
    // Until the new epoch begins.
    const isPastEnd = this.#lostEnd !== undefined && point.epoch === epoch && point.position > position;
    const isPastFork = point.epoch < epoch && isLost(await this.#epochStarts(epoch), point);
    if (!isPastEnd && !isPastFork) return;
    throw fail(
      ErrorReason.NOT_SERVING,
      'the log was restored to an older end, and the view holds what is lost: it is built again',
    );
  }

  #epochStarts(latest: number): Promise<readonly EpochStart[]> {
    if (this.#epochs?.latest !== latest) {
      const starts = epochStarts(this.#log);
      this.#epochs = { latest, starts };
      starts.catch(() => (this.#epochs = undefined));
    }
    return this.#epochs.starts;
  }

  /**
   * Resolves when the view's partition has all that the request asks for.
   * @throws CallError INVALID_CONSISTENCY_TOKEN, INVALID_PAGE_TOKEN, HISTORY_LOST, POSITION_OUT_OF_RANGE, or
   * READ_MODEL_BEHIND at the deadline; or the signal's reason.
   */
  async reach<V extends ReadableView>(
    getter: ViewGetter<V>,
    partition: number,
    need: Requirement,
    call: Pick<Call, 'deadline_ms' | 'signal' | 'span'>,
  ): Promise<void> {
    const { consistency, position, page } = need;
    const requirement = consistency?.requirement;
    // The reads of the log and the wait for the view go on at the same time: a fresh token costs one round
    // trip, not two.
    const waits: Promise<void>[] = [];
    const { ledgerId, waitsForParked = false } = need;
    const wait: Wait = ({ epoch, position, knownEpoch }) =>
      this.#wait(getter, partition, { epoch, position, knownEpoch, ledgerId, waitsForParked }, call);
    if (requirement?.case === 'atLeastAsFresh') {
      const token = decodeConsistencyToken(requirement.value);
      waits.push(this.#waitVerified(token, ErrorReason.INVALID_CONSISTENCY_TOKEN, wait));
    } else if (requirement?.case === 'fullyConsistent' && requirement.value) {
      waits.push(
        this.head()
          .then(({ epoch, position: end }) => wait({ epoch, position: end }))
          .then(() => undefined),
      );
    }
    if (page !== undefined) waits.push(this.#waitVerified(page, ErrorReason.INVALID_PAGE_TOKEN, wait));
    if (position !== undefined && position >= 0n) waits.push(this.#waitPosition(position, wait));
    if (waits.length > 0) await Promise.all(waits);
  }

  /**
   * Makes sure that a token is of this log and that its history is still there.
   * @throws CallError with the reason given (another store, beyond the log's end), or HISTORY_LOST.
   */
  async verify(token: TokenPoint, reason: TokenReason): Promise<void> {
    if (!isSameBytes(token.logId, await this.logId()) || token.shard !== this.#log.shard) {
      throw fail(reason, 'the token is of another store');
    }
    if (token.position < 0n) return;
    const key = `${String(token.epoch)}.${String(token.position)}.${hexOf(token.hash)}`;
    const isKnown = this.#verified.has(key);
    this.#figures.tokens[isKnown ? 'hit' : 'miss'] += 1;
    if (isKnown) return;
    const epoch = this.#knownEpoch;
    const event = await this.#log.at(token.position);
    if (event === undefined) throw await this.#beyond(token, reason);
    // With the same bytes at the position all before it is the same too: each event holds the hash of the one
    // before.
    if (!isSameHash(token.hash, event.hash)) throw historyLost(token);
    if (epoch === this.#knownEpoch) this.#verified.set(key, true);
  }

  /** As `verify` of a page token by the methods that read the log itself and have no view to wait for. */
  verifyPage(page: PageToken): Promise<void> {
    return this.verify(page, ErrorReason.INVALID_PAGE_TOKEN);
  }

  /** The log ends there now. */
  #ends(head: LogPoint): void {
    const before = this.#end;
    this.#end = head;
    if (head.epoch !== before.epoch) {
      this.#inEpoch(head.epoch);
      this.#lostEnd = undefined;
    } else if (head.position < before.position) {
      this.#verified.clear();
      this.#lostEnd ??= before;
    }
  }

  /** The log is in this epoch or in a later one: what was verified before may be lost. */
  #inEpoch(epoch: number): void {
    if (epoch <= this.#knownEpoch) return;
    this.#knownEpoch = epoch;
    this.#verified.clear();
  }

  async #beyond(token: TokenPoint, reason: TokenReason): Promise<CallError> {
    const head = await this.head();
    // Until the new epoch begins, only the end of before says that the token was good.
    const lost = this.#lostEnd;
    const wasThere = lost?.epoch === token.epoch && lost.position >= token.position;
    if (head.epoch > token.epoch || wasThere) return historyLost(token);
    return fail(reason, 'the token is beyond the end of the log', {
      metadata: { position: String(head.position), required: String(token.position) },
    });
  }

  async #waitVerified(token: TokenPoint, reason: TokenReason, wait: Wait): Promise<void> {
    // Verified first: a reader must not wait until its deadline for a token that is not of this log. Verified again if the view
    // shows that a new epoch has begun: what the token stands for may be lost since.
    for (;;) {
      const knownEpoch = this.#knownEpoch;
      await this.verify(token, reason);
      const { epoch, position } = token;
      if ((await wait({ epoch, position, knownEpoch })) === 'reached') return;
    }
  }

  async #waitPosition(position: bigint, wait: Wait): Promise<void> {
    const head = await this.head();
    if (position > head.position) {
      throw fail(ErrorReason.POSITION_OUT_OF_RANGE, 'the position is beyond the end of the log', {
        metadata: { position: String(head.position), required: String(position) },
      });
    }
    await wait({ epoch: 0, position });
  }

  async #wait<V extends ReadableView>(
    getter: ViewGetter<V>,
    partition: number,
    target: WaitTarget,
    call: Pick<Call, 'deadline_ms' | 'signal' | 'span'>,
  ): Promise<'reached' | 'later_epoch'> {
    const due_ms = call.deadline_ms ?? this.#now() + this.#readDeadline_ms;
    const poller = this.#poller(getter, partition);
    const left_ms = Math.max(0, due_ms - READ_MARGIN_MS - this.#now());
    const began_ms = performance.now();
    const span = call.span && this.#tracer?.start(waitSpan(call.span, target));
    if (span !== undefined) this.#linkToCommit(span, target);
    let result: WaitResult = 'gave_up';
    try {
      const outcome = await poller.reach(target, left_ms, call.signal);
      if (outcome.result === 'later_epoch') {
        result = 'waited';
        this.#inEpoch(outcome.epoch);
        return 'later_epoch';
      }
      result = outcome.result;
      if (outcome.result === 'behind') throw behind(outcome, target);
      return 'reached';
    } finally {
      const { view } = poller;
      span?.set({ 'quittance.view': view ?? '', 'quittance.result': result });
      span?.end();
      if (view !== undefined) this.#figures.waited(view, result, performance.now() - began_ms);
    }
  }

  /** Links the wait to the commit of the event that it is for, if the log gives it before the wait has ended. */
  #linkToCommit(span: Span, { position }: WaitTarget): void {
    if (position < 0n) return;
    this.#log.at(position).then(
      (found) => {
        const commit = found && spanPointOfEvent(found.event, found.hash);
        if (commit?.isSampled === true) span.link(commit);
      },
      // The wait itself says what is wrong with the log.
      () => undefined,
    );
  }

  #poller<V extends ReadableView>(getter: ViewGetter<V>, partition: number): ViewPoller {
    const pollers = this.#pollers.get(getter) ?? new Map<number, ViewPoller>();
    this.#pollers.set(getter, pollers);
    const poller = pollers.get(partition) ?? new ViewPoller(getter, partition);
    pollers.set(partition, poller);
    return poller;
  }
}

function waitSpan(parent: SpanPoint, { position }: WaitTarget): SpanStart {
  const attributes = { 'quittance.position': Number(position) };
  return { name: 'wait for the view', kind: 'internal', parent, attributes };
}

/** What an answer's as_of may add. */
export interface AsOfOptions {
  /** See AsOf.final; default false. */
  readonly final?: boolean;
}

/**
 * The as_of of an answer: of the checkpoint that was read with the data, or, on a later page of a list, of
 * its page token (whose position and time are the first page's).
 * @throws CallError NOT_SERVING if the log has lost that point
 */
export async function asOf(
  context: { readonly freshness: Freshness; readonly log: { readonly shard: number } },
  point: LogPoint | Checkpoint | PageToken,
  opts: AsOfOptions = {},
): Promise<AsOf> {
  const { epoch, position, hash, recordedTime } = point;
  await context.freshness.requireKept(point);
  const logId = await context.freshness.logId();
  const token = { logId, shard: context.log.shard, epoch, position, hash };
  const answer = create(AsOfSchema, {
    position,
    final: opts.final ?? false,
    consistencyToken: encodeConsistencyToken(token),
  });
  // A view that has seen nothing has no time.
  if (position >= 0n) answer.time = timestampOf(recordedTime);
  return answer;
}

function behind({ view, checkpoint }: NotReached, target: WaitTarget): CallError {
  const position = checkpoint === undefined ? 'unknown' : String(wholeFor(checkpoint, target).position);
  const metadata = { view, position, required: String(target.position) };
  if (checkpoint === undefined || !isParkedBefore(checkpoint, target)) {
    const text = `the ${view} view has not reached what the read asks for`;
    return fail(ErrorReason.READ_MODEL_BEHIND, text, { metadata });
  }
  return fail(
    ErrorReason.READ_MODEL_BEHIND,
    `the ${view} view lacks an event that could not be applied; see ProjectionService.ListDeadLetters`,
    { metadata: { ...metadata, cause: 'DEAD_LETTER' } },
  );
}

function historyLost(token: TokenPoint): CallError {
  return fail(
    ErrorReason.HISTORY_LOST,
    'the log was restored to an older end; what the token stands for is lost',
    {
      metadata: { required: String(token.position), epoch: String(token.epoch) },
      precondition: [
        {
          type: 'HISTORY',
          subject: `position ${String(token.position)}`,
          description: 'is not in the log any more',
        },
      ],
    },
  );
}
