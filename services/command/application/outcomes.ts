/** From the verdicts on the commands of a flush to what their jobs are answered. */
import { CallError } from '../../../lib/rpc/errors.js';
import { unreachable } from '../domain/invariant.js';
import type { AtomicJob, Decided, Outcome, Request, Result, SeparateJob } from './job.js';
import type { Plan, Verdict } from './plan.js';
import { replayBatch, replayRequest } from './replay.js';
import type { RequestIds } from './request-ids.js';

/** A request id may be in the log though its command was decided to an error: a retry must be answered by the log. */
export function toLookUp({ judged }: Plan): Request[] {
  const requests: Request[] = [];
  for (const { job, verdicts } of judged) {
    for (const [index, { verdict }] of verdicts.entries()) {
      if (verdict === 'commit' || verdict === 'deferred') continue;
      requests.push(...(job.isAtomic ? job.requests : job.requests.slice(index, index + 1)));
    }
  }
  return requests;
}

/** What a command comes to; undefined if it is decided in the next flush. */
export function outcomeOf(
  request: Request | undefined,
  verdict: Verdict,
  ids: RequestIds,
): Outcome | undefined {
  if (request === undefined) throw new Error('a verdict is on a request');
  const decidedOf = (decided: readonly Decided[]): Outcome => {
    const [only] = decided;
    if (only === undefined) throw new Error('a command that was decided has its decision');
    return only;
  };
  switch (verdict.verdict) {
    case 'commit':
      return decidedOf(verdict.decided);
    case 'dry_run':
      return ids.has(request) ? replayRequest(request, ids.eventsOf) : decidedOf(verdict.decided);
    case 'refused':
      return ids.has(request) ? replayRequest(request, ids.eventsOf) : verdict.error;
    case 'replay':
      return replayRequest(request, ids.eventsOf);
    case 'deferred':
      return undefined;
    default:
      return unreachable(verdict);
  }
}

/** The same for an atomic batch. */
export function batchResult(job: AtomicJob, verdict: Verdict, ids: RequestIds): Result | undefined {
  const isStored = () => job.requests.some((request) => ids.has(request));
  switch (verdict.verdict) {
    case 'commit':
      return verdict.decided;
    case 'dry_run':
      return isStored() ? replayBatch(job, ids.eventsOf) : verdict.decided;
    case 'refused':
      return isStored() ? replayBatch(job, ids.eventsOf) : verdict.error;
    case 'replay':
      return replayBatch(job, ids.eventsOf);
    case 'deferred':
      return undefined;
    default:
      return unreachable(verdict);
  }
}

/** The job of the commands that have no outcome yet; undefined if there are none, the job itself if it has no outcome at all. */
export function restOf(
  job: SeparateJob,
  outcomes: readonly (Outcome | undefined)[],
): SeparateJob | undefined {
  const open = outcomes.flatMap((outcome, index) => (outcome === undefined ? [index] : []));
  if (open.length === 0) return undefined;
  if (open.length === outcomes.length) return job;
  return {
    isAtomic: false,
    requests: job.requests.filter((_, index) => open.includes(index)),
    caller: job.caller,
    restOf: job.restOf ?? job,
    answer: (result) => {
      const late = open.map((_, place) => (result instanceof CallError ? result : result[place]));
      const all = outcomes.map((outcome, index) => outcome ?? late[open.indexOf(index)]);
      job.answer(all.filter((outcome) => outcome !== undefined));
    },
  };
}
