/** From a request to its outcome: the shape is checked, the command queued, and the caller waits as long as it may. */
import { ErrorReason } from '../../../gen/quittance/common/v1/error_reason_pb.js';
import { canonicalBody, type CommandCase, commandTypeOf } from '../../../lib/log/canonical-body.js';
import type { Call } from '../../../lib/rpc/call.js';
import { type CallError, fail } from '../../../lib/rpc/errors.js';
import type { Executor } from '../application/executor.js';
import type { Decided, Job, MovementRequest, Request } from '../application/job.js';
import type { LogIdentity } from './answer.js';
import { toCommand } from './to-command.js';

/** What the command methods share. */
export interface CommandContext {
  readonly executor: Executor;
  readonly log: LogIdentity;
}

/** A request whose contract rules were checked, as the executor takes it. @throws CallError on what its shape forbids */
export function requestOf(command: CommandCase, { actor, traceId }: Call): Request {
  return {
    command: toCommand(command),
    type: commandTypeOf(command.case),
    kind: command.case,
    body: canonicalBody(command),
    validateOnly: command.value.validateOnly,
    actor,
    traceId,
  };
}

/** Decides one command. @throws CallError as the contract says */
export function decideSingle(executor: Executor, request: Request, call: Call): Promise<Decided> {
  return new Promise((resolve, reject) => {
    const job: Job = {
      shape: 'single',
      request,
      caller: call,
      settle: (outcome) => {
        stopListening();
        if (outcome.ok) resolve(outcome.decided);
        else reject(outcome.error);
      },
    };
    const stopListening = leaveWith(job, executor, call, reject);
    executor.submit(job);
  });
}

/** Decides an atomic batch: one outcome an item. @throws CallError as the contract says */
export function decideTogether(
  executor: Executor,
  requests: readonly MovementRequest[],
  call: Call,
): Promise<readonly Decided[]> {
  return new Promise((resolve, reject) => {
    const job: Job = {
      shape: 'atomic',
      requests,
      caller: call,
      settle: (outcomes) => {
        stopListening();
        resolve(outcomes);
      },
      fail: (error) => {
        stopListening();
        reject(error);
      },
    };
    const stopListening = leaveWith(job, executor, call, reject);
    executor.submit(job);
  });
}

/** A caller who leaves while its events are on their way must not be told that nothing changed. */
function leaveWith(job: Job, executor: Executor, call: Call, reject: (error: CallError) => void): () => void {
  return call.onAbort((reason) => {
    reject(executor.isCommitting(job) ? outcomeUnknown() : reason);
  });
}

function outcomeUnknown(): CallError {
  return fail(
    ErrorReason.OUTCOME_UNKNOWN,
    'the command was being committed when the call ended; retry with the same request_id',
  );
}
