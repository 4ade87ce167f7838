/** What waits in the queue of the executor, and what becomes of it. */
import type * as log from '../../../gen/quittance/event/v1/event_pb.js';
import type { CommandCase } from '../../../lib/log/canonical-body.js';
import type { LogPoint } from '../../../lib/log/recorded-event.js';
import type { Call } from '../../../lib/rpc/call.js';
import type { CallError } from '../../../lib/rpc/errors.js';
import type { Command, MovementCommand } from '../domain/command.js';

/** A command of a caller, its shape checked. */
export interface Request {
  readonly command: Command;
  readonly type: log.CommandType;
  /** Null for internal commands. */
  readonly kind: CommandCase['case'] | null;
  /** The canonical body. */
  readonly body: Uint8Array;
  readonly validateOnly: boolean;
  readonly actor: string;
  /** 32 hexadecimal characters. */
  readonly traceId: string;
}

/** A request whose command an atomic batch takes. */
export interface MovementRequest extends Request {
  readonly command: MovementCommand;
}

/** What was decided: the events of one command, from which alone its answer is made. */
export interface Decided {
  readonly events: readonly log.Event[];
  readonly replayed: boolean;
  /** Where the log was right after the command's last event; null if nothing was stored (validate_only). */
  readonly point: LogPoint | null;
}

export type Outcome =
  { readonly ok: true; readonly decided: Decided } | { readonly ok: false; readonly error: CallError };

/** Who waits for a job, and how long. */
export type Caller = Pick<Call, 'deadline_ms' | 'aborted'>;

interface Waiting {
  /** Undefined for our own jobs. */
  readonly caller: Caller | undefined;
}

/** One command that is decided for itself. */
export interface SingleJob extends Waiting {
  readonly shape: 'single';
  readonly request: Request;
  settle(outcome: Outcome): void;
}

/** Commands that are posted together or not at all. */
export interface AtomicJob extends Waiting {
  readonly shape: 'atomic';
  readonly requests: readonly MovementRequest[];
  /** One outcome an item, or the one error of the whole with the index of the item at fault. */
  settle(outcomes: readonly Decided[]): void;
  fail(error: CallError): void;
}

export type Job = SingleJob | AtomicJob;

/** How many commands a job is. */
export function sizeOf(job: Job): number {
  return job.shape === 'single' ? 1 : job.requests.length;
}

export function requestsOf(job: Job): readonly Request[] {
  return job.shape === 'single' ? [job.request] : job.requests;
}

/** Answers the whole job with an error. */
export function failJob(job: Job, error: CallError): void {
  if (job.shape === 'single') job.settle({ ok: false, error });
  else job.fail(error);
}
