/** A job: what waits in the queue of the executor, and how it is answered. */
import type * as log from '../../../gen/quittance/event/v1/event_pb.js';
import type { CommandCase } from '../../../lib/log/canonical-body.js';
import type { LogPoint } from '../../../lib/log/recorded-event.js';
import type { SpanPoint } from '../../../lib/observe/tracing.js';
import type { Call } from '../../../lib/rpc/call.js';
import type { CallError } from '../../../lib/rpc/errors.js';
import type { Command, MovementCommand } from '../domain/command.js';

/** A command of a caller, its shape checked. */
export interface Request {
  readonly command: Command;
  readonly type: log.CommandType;
  /** The request message in canonical form, as the answer is made of it; null for internal commands. */
  readonly canonical: CommandCase | null;
  /** The canonical body: `canonical` encoded. */
  readonly body: Uint8Array;
  readonly validateOnly: boolean;
  readonly actor: string;
  /** 32 hexadecimal characters. */
  readonly traceId: string;
  /** The span of the call; undefined if it is not recorded. */
  readonly span?: SpanPoint | undefined;
}

/** A request whose command an atomic batch takes. */
export interface MovementRequest extends Request {
  readonly command: MovementCommand;
}

/** What was decided for one command: its events, from which alone the answer is made. */
export interface Decided {
  readonly events: readonly log.Event[];
  /** The canonical request, which the first event carries as bytes; null: decode it from there (replays). */
  readonly command: CommandCase | null;
  readonly replayed: boolean;
  /** Where the log was right after the command's last event; null if nothing was stored (validate_only). */
  readonly point: LogPoint | null;
}

/** What one command comes to. */
export type Outcome = Decided | CallError;

/** What a job is answered with: an outcome for each request, in their order, or the error of the whole job. */
export type Result = readonly Outcome[] | CallError;

/** The caller of a job, and how long it waits. */
export type Caller = Pick<Call, 'deadline_ms' | 'aborted'>;

interface Waiting {
  /** Undefined for internal jobs. */
  readonly caller: Caller | undefined;
  /** The job that this one is the rest of: it was deferred in part. */
  readonly restOf?: Job | undefined;
  /** What jobs have in common that are decided in the order in which they were queued, also if their ledgers differ: a stream. */
  readonly sequence?: object | undefined;
  /** Called exactly once. */
  answer(result: Result): void;
}

/** Commands that are decided one after the other, each for itself. */
export interface SeparateJob extends Waiting {
  readonly isAtomic: false;
  readonly requests: readonly Request[];
}

/** Commands of one ledger that are posted together or not at all. */
export interface AtomicJob extends Waiting {
  readonly isAtomic: true;
  readonly requests: readonly MovementRequest[];
}

export type Job = SeparateJob | AtomicJob;
