/** ExecuteBatch: commands of one ledger in one call, independent of each other or all or nothing. */
import { create } from '@bufbuild/protobuf';
import {
  BatchMode,
  type ExecuteBatchRequest,
  type ExecuteBatchResponse,
  ExecuteBatchResponseSchema,
  type TransactionCommandService,
} from '../../../gen/quittance/command/v1/transaction_command_service_pb.js';
import type { CommandCase } from '../../../lib/log/canonical-body.js';
import type { LogPoint } from '../../../lib/log/recorded-event.js';
import type { Call } from '../../../lib/rpc/call.js';
import { abbreviatedStatus, CallError, toCallError, toStatus } from '../../../lib/rpc/errors.js';
import type { MethodFunction } from '../../../lib/rpc/service.js';
import type { Decided, Request } from '../application/job.js';
import { isNotHolder } from '../application/not-holder.js';
import { abbreviatedAnswerOf, answerOf, resultOf, tokenOf } from './answer.js';
import { checkedCase } from './checked-case.js';
import type { Kind } from './command-method.js';
import { invalidField } from './request-parts.js';
import { type CommandContext, decideEach, decideTogether, movementRequestOf, requestOf } from './submit.js';

type Method = MethodFunction<(typeof TransactionCommandService)['method']['executeBatch']>;

/** One item: decided, or why it was not. */
type Item = { readonly kind: Kind; readonly decided: Decided } | CallError;

export function executeBatch(context: CommandContext): Method {
  return async (batch, call) => {
    const isAtomic = batch.mode === BatchMode.ATOMIC;
    const items = isAtomic ? await atomic(context, batch, call) : await independent(context, batch, call);
    const answer = fullAnswer(context, items, isAtomic);
    // Its commands are committed: an answer that is too large must not become an error.
    return call.fits(answer) ? answer : abbreviatedAnswer(context, items, isAtomic);
  };
}

async function independent(
  context: CommandContext,
  batch: ExecuteBatchRequest,
  call: Call,
): Promise<readonly Item[]> {
  const kinds: Kind[] = [];
  const requests: Request[] = [];
  const refused = new Map<number, CallError>();
  for (const [index, command] of batch.commands.entries()) {
    try {
      const named = itemOf(batch, checkedCase(command));
      requests.push(requestOf(named, call));
      kinds.push(named.case);
    } catch (error) {
      refused.set(index, toCallError(error));
    }
  }
  // Queued in order: later items see earlier ones.
  const outcomes = await decideEach(context.executor, requests, call);
  // The process that decides takes the whole batch: what was decided here is replayed there.
  const elsewhere = outcomes.find(isNotHolder);
  if (elsewhere instanceof CallError) throw elsewhere;
  let next = 0;
  return batch.commands.map((_, index): Item => {
    const error = refused.get(index);
    if (error !== undefined) return error;
    const decided = outcomes[next];
    const kind = kinds[next];
    next += 1;
    if (decided instanceof CallError) return decided;
    if (decided === undefined || kind === undefined) throw new Error('a batch is answered item by item');
    return { kind, decided };
  });
}

async function atomic(context: CommandContext, batch: ExecuteBatchRequest, call: Call): Promise<Item[]> {
  const ids = new Set<string>();
  const kinds: Kind[] = [];
  const requests = batch.commands.map((command, index) =>
    atIndex(index, () => {
      const named = itemOf(batch, checkedCase(command));
      const { requestId } = named.value;
      if (ids.has(requestId)) throw invalidField('request_id', 'is that of an earlier item of the batch');
      ids.add(requestId);
      kinds.push(named.case);
      return movementRequestOf(named, call);
    }),
  );
  const together = await decideTogether(context.executor, requests, call);
  return together.map((decided, index) => {
    const kind = kinds[index];
    if (kind === undefined) throw new Error('an atomic batch is answered item by item');
    return { kind, decided };
  });
}

/** An item must be of the batch's ledger, and be stored. @throws CallError INVALID_FIELD */
function itemOf(batch: ExecuteBatchRequest, command: CommandCase): CommandCase {
  if (command.case === 'createLedger') throw invalidField('create_ledger', 'is not for batches');
  if (command.value.ledgerId !== batch.ledgerId) {
    throw invalidField('ledger_id', "must be the batch's ledger_id");
  }
  if (command.value.validateOnly) throw invalidField('validate_only', 'is not for batches');
  return command;
}

function fullAnswer(
  context: CommandContext,
  items: readonly Item[],
  isAtomic: boolean,
): ExecuteBatchResponse {
  const results = items.map((item) =>
    resultOf(
      item instanceof CallError
        ? { case: 'error', value: toStatus(item) }
        : answerOf(item.kind, item.decided, context.log),
    ),
  );
  return create(ExecuteBatchResponseSchema, { results, ...summaryOf(context, items, isAtomic) });
}

/** The same in a size that 1,000 items cannot make too large: see the limits in the test of this file. */
function abbreviatedAnswer(
  context: CommandContext,
  items: readonly Item[],
  isAtomic: boolean,
): ExecuteBatchResponse {
  const results = items.map((item) =>
    resultOf(
      item instanceof CallError
        ? { case: 'error', value: abbreviatedStatus(item) }
        : abbreviatedAnswerOf(item.kind, item.decided),
    ),
  );
  const summary = summaryOf(context, items, isAtomic);
  return create(ExecuteBatchResponseSchema, { results, abbreviated: true, ...summary });
}

/** What an answer says of the whole batch. */
function summaryOf({ log }: CommandContext, items: readonly Item[], isAtomic: boolean) {
  let last: LogPoint | undefined;
  let isDeclined = false;
  for (const item of items) {
    if (item instanceof CallError) continue;
    const { events, point } = item.decided;
    isDeclined ||= events[0]?.payload.case === 'transactionDeclined';
    if (point !== null && (last === undefined || point.position > last.position)) last = point;
  }
  const declined = isAtomic && isDeclined;
  return last === undefined
    ? { declined }
    : { declined, position: last.position, consistencyToken: tokenOf(last, log) };
}

/** Runs for one item; its error names the item, once. */
function atIndex<T>(index: number, run: () => T): T {
  try {
    return run();
  } catch (error) {
    const { reason, code, message, details, retryAfter_ms, cause } = toCallError(error);
    const where = `commands[${String(index)}]`;
    const fields =
      details.fields?.map((problem) => ({ ...problem, field: `${where}.${problem.field}` })) ?? [];
    const about = { ...details, fields, metadata: { ...details.metadata, index: String(index) } };
    throw new CallError(reason, code, `${where}: ${message}`, about, retryAfter_ms, cause);
  }
}
