/** From a request to its decision: the shape is checked, the command is queued, and the caller waits for the answer. */
import { ErrorReason } from '../../../gen/quittance/common/v1/error_reason_pb.js';
import {
  canonicalCommand,
  type CommandCase,
  commandTypeOf,
  encodeCommand,
} from '../../../lib/log/canonical-body.js';
import type { Call } from '../../../lib/rpc/call.js';
import { CallError, fail, toCallError } from '../../../lib/rpc/errors.js';
import type { ClosingBalances } from '../application/closing-balances.js';
import type { Executor } from '../application/executor.js';
import type {
  AtomicJob,
  Decided,
  Job,
  MovementRequest,
  Outcome,
  Request,
  SeparateJob,
} from '../application/job.js';
import type { Command } from '../domain/command.js';
import type { LogIdentity } from './answer.js';
import { toCommand, toMovement } from './command-table.js';
import { invalidField } from './request-parts.js';

/** What the command methods share. */
export interface CommandContext {
  readonly executor: Executor;
  readonly log: LogIdentity;
}

/** What the methods of ledgers have beside that. */
export interface LedgerContext extends CommandContext {
  readonly closingBalances: Pick<ClosingBalances, 'isWanted' | 'during'>;
}

/** So many commands of a batch or a stream are decided in one flush at most: more would keep other callers waiting. */
export const COMMANDS_PER_JOB = 100;

/** Who sends a command, and the trace that it belongs to. */
type Sender = Pick<Call, 'actor' | 'traceId' | 'span'>;

/** A request whose contract rules were checked, as the executor takes it. @throws CallError on what its shape forbids */
export function requestOf(named: CommandCase, call: Sender): Request {
  return requestFor(toCommand(named.case, named.value), named, call);
}

/** The same for an item of an ATOMIC batch. @throws CallError INVALID_FIELD also for a command that such a batch does not take */
export function movementRequestOf(named: CommandCase, call: Call): MovementRequest {
  const command = toMovement(named.case, named.value);
  if (command === undefined) throw invalidField('command', 'is not one that an ATOMIC batch takes');
  return requestFor(command, named, call);
}

function requestFor<C extends Command>(command: C, named: CommandCase, { actor, traceId, span }: Sender) {
  const canonical = canonicalCommand(named);
  return {
    command,
    type: commandTypeOf(named.case),
    canonical,
    body: encodeCommand(canonical),
    validateOnly: named.value.validateOnly,
    actor,
    traceId,
    span,
  };
}

/** Decides one command. @throws CallError as the contract says */
export async function decideOne(executor: Executor, request: Request, call: Call): Promise<Decided> {
  const [outcome] = await outcomesOf(executor, { isAtomic: false, requests: [request] }, call);
  return decidedOf(outcome);
}

/**
 * Decides commands one after the other, each for itself. An outcome for each; the call's own end is the outcome of all.
 * @param sequence keeps the order of commands of several ledgers, see Job
 */
export async function decideEach(
  executor: Executor,
  requests: readonly Request[],
  call: Call,
  sequence?: object,
): Promise<readonly Outcome[]> {
  const jobs: Promise<readonly Outcome[]>[] = [];
  for (let from = 0; from < requests.length; from += COMMANDS_PER_JOB) {
    const some = requests.slice(from, from + COMMANDS_PER_JOB);
    const deciding = outcomesOf(executor, { isAtomic: false, requests: some, sequence }, call);
    jobs.push(deciding.catch((error: unknown) => some.map(() => toCallError(error))));
  }
  return (await Promise.all(jobs)).flat();
}

/** Decides an atomic batch: one decision for each item. @throws CallError as the contract says */
export async function decideTogether(
  executor: Executor,
  requests: readonly MovementRequest[],
  call: Call,
): Promise<readonly Decided[]> {
  const outcomes = await outcomesOf(executor, { isAtomic: true, requests }, call);
  return outcomes.map(decidedOf);
}

function decidedOf(outcome: Outcome | undefined): Decided {
  if (outcome === undefined) throw new Error('a command is answered with its decision');
  if (outcome instanceof CallError) throw outcome;
  return outcome;
}

/** What a job is about, before there is a caller. */
type Work =
  | Pick<SeparateJob, 'isAtomic' | 'requests' | 'sequence'>
  | Pick<AtomicJob, 'isAtomic' | 'requests' | 'sequence'>;

function outcomesOf(executor: Executor, work: Work, call: Call): Promise<readonly Outcome[]> {
  return new Promise((resolve, reject) => {
    const job: Job = {
      ...work,
      caller: call,
      answer: (result) => {
        stopListening();
        if (result instanceof CallError) reject(result);
        else resolve(result);
      },
    };
    // A caller that leaves while its events are on their way must not be answered that nothing changed.
    const stopListening = call.onAbort((reason) => {
      reject(executor.isCommitting(job) ? outcomeUnknown() : reason);
    });
    executor.submit(job);
  });
}

function outcomeUnknown(): CallError {
  return fail(
    ErrorReason.OUTCOME_UNKNOWN,
    'the command was being committed when the call ended; retry with the same request_id',
  );
}
