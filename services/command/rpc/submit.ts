/** From a request to its decision: the shape is checked, the command is queued, and the caller waits for the answer. */
import { ErrorReason } from '../../../gen/quittance/common/v1/error_reason_pb.js';
import {
  canonicalCommand,
  type CommandCase,
  commandTypeOf,
  encodeCommand,
} from '../../../lib/log/canonical-body.js';
import type { Call } from '../../../lib/rpc/call.js';
import { CallError, fail } from '../../../lib/rpc/errors.js';
import type { Executor } from '../application/executor.js';
import type { AtomicJob, Decided, Job, MovementRequest, Request, SingleJob } from '../application/job.js';
import type { LogIdentity } from './answer.js';
import { toCommand } from './to-command.js';

/** What the command methods share. */
export interface CommandContext {
  readonly executor: Executor;
  readonly log: LogIdentity;
}

/** A request whose contract rules were checked, as the executor takes it. @throws CallError on what its shape forbids */
export function requestOf(command: CommandCase, { actor, traceId }: Call): Request {
  const canonical = canonicalCommand(command);
  return {
    command: toCommand(command),
    type: commandTypeOf(command.case),
    canonical,
    body: encodeCommand(canonical),
    validateOnly: command.value.validateOnly,
    actor,
    traceId,
  };
}

/** Decides one command. @throws CallError as the contract says */
export async function decideSingle(executor: Executor, request: Request, call: Call): Promise<Decided> {
  const [decided] = await decidedBy(executor, { isAtomic: false, requests: [request] }, call);
  if (decided === undefined) throw new Error('a command is answered with its decision');
  return decided;
}

/** Decides an atomic batch: one decision for each item. @throws CallError as the contract says */
export function decideTogether(
  executor: Executor,
  requests: readonly MovementRequest[],
  call: Call,
): Promise<readonly Decided[]> {
  return decidedBy(executor, { isAtomic: true, requests }, call);
}

/** What a job is about, before there is a caller. */
type Work = Pick<SingleJob, 'isAtomic' | 'requests'> | Pick<AtomicJob, 'isAtomic' | 'requests'>;

function decidedBy(executor: Executor, work: Work, call: Call): Promise<readonly Decided[]> {
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
