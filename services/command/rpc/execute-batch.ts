/** ExecuteBatch: commands of one ledger in one call, independent of each other or all or nothing. */
import { create } from '@bufbuild/protobuf';
import {
  BatchMode,
  type CommandResult,
  CommandResultSchema,
  type ExecuteBatchRequest,
  type ExecuteBatchResponse,
  ExecuteBatchResponseSchema,
  type TransactionCommandService,
} from '../../../gen/quittance/command/v1/transaction_command_service_pb.js';
import { TransactionStatus } from '../../../gen/quittance/common/v1/transaction_pb.js';
import type { CommandCase } from '../../../lib/log/canonical-body.js';
import type { Call } from '../../../lib/rpc/call.js';
import { CallError, toCallError, toStatus } from '../../../lib/rpc/errors.js';
import type { MethodFunction } from '../../../lib/rpc/service.js';
import type { Decided, MovementRequest, Request } from '../application/job.js';
import type { Command, MovementCommand } from '../domain/command.js';
import { answerOf, tailOf } from './answer.js';
import { checkedCase } from './checked-case.js';
import { invalidField } from './shape.js';
import { type CommandContext, decideSingle, decideTogether, requestOf } from './submit.js';

type Method = MethodFunction<(typeof TransactionCommandService)['method']['executeBatch']>;

export function executeBatch(context: CommandContext): Method {
  return (request, call) =>
    request.mode === BatchMode.ATOMIC ? atomic(context, request, call) : independent(context, request, call);
}

async function independent(
  context: CommandContext,
  batch: ExecuteBatchRequest,
  call: Call,
): Promise<ExecuteBatchResponse> {
  let last: Decided | undefined;
  // Queued in order before anything is awaited: later items see earlier ones.
  const results = await Promise.all(
    batch.commands.map(async (command, index): Promise<CommandResult> => {
      try {
        const item = itemOf(batch, checkedCase(command), index);
        const decided = await decideSingle(context.executor, requestOf(item, call), call);
        if (isLater(decided, last)) last = decided;
        return create(CommandResultSchema, { result: answerOf(item.case, decided, context.log) });
      } catch (error) {
        return create(CommandResultSchema, { result: { case: 'error', value: toStatus(error) } });
      }
    }),
  );
  return create(ExecuteBatchResponseSchema, { results, ...pointOf(last, context) });
}

async function atomic(
  context: CommandContext,
  batch: ExecuteBatchRequest,
  call: Call,
): Promise<ExecuteBatchResponse> {
  const ids = new Set<string>();
  const requests = batch.commands.map((command, index) =>
    atIndex(index, () => {
      const item = itemOf(batch, checkedCase(command), index);
      const { requestId } = item.value;
      if (ids.has(requestId)) throw invalidField('request_id', 'is that of an earlier item of the batch');
      ids.add(requestId);
      return movementOf(requestOf(item, call));
    }),
  );
  const decided = await decideTogether(context.executor, requests, call);
  let isDeclined = false;
  const results = decided.map((item, index) => {
    const kind = batch.commands[index]?.command.case;
    if (kind === undefined) throw new Error('every item was checked');
    const result = answerOf(kind, item, context.log);
    if ('transaction' in result.value) {
      isDeclined ||= result.value.transaction?.status === TransactionStatus.DECLINED;
    }
    return create(CommandResultSchema, { result });
  });
  return create(ExecuteBatchResponseSchema, {
    results,
    declined: isDeclined,
    ...pointOf(decided.at(-1), context),
  });
}

/** An item must be of the batch's ledger, and be stored. @throws CallError INVALID_FIELD */
function itemOf(batch: ExecuteBatchRequest, command: CommandCase, index: number): CommandCase {
  const path = `commands[${String(index)}]`;
  if (command.case === 'createLedger') throw invalidField(`${path}.create_ledger`, 'is not for batches');
  if (command.value.ledgerId !== batch.ledgerId) {
    throw invalidField(`${path}.ledger_id`, "must be the batch's ledger_id");
  }
  if (command.value.validateOnly) throw invalidField(`${path}.validate_only`, 'is not for batches');
  return command;
}

const MOVEMENTS: ReadonlySet<Command['type']> = new Set<MovementCommand['type']>([
  'Deposit',
  'Withdraw',
  'SubmitPayment',
  'AuthorizePayment',
  'CapturePayment',
  'RefundPayment',
  'PostTransaction',
  'ReverseTransaction',
]);

function movementOf(request: Request): MovementRequest {
  const { command } = request;
  if (!isMovement(command)) throw invalidField('command', 'is not one that an ATOMIC batch takes');
  return { ...request, command };
}

function isMovement(command: Command): command is MovementCommand {
  return MOVEMENTS.has(command.type);
}

/** Runs for one item; its error names the item. */
function atIndex<T>(index: number, run: () => T): T {
  try {
    return run();
  } catch (error) {
    const { reason, code, message, details, retryAfter_ms, cause } = toCallError(error);
    const metadata = { ...details.metadata, index: String(index) };
    const where = `commands[${String(index)}]`;
    throw new CallError(reason, code, `${where}: ${message}`, { ...details, metadata }, retryAfter_ms, cause);
  }
}

function isLater({ point }: Decided, last: Decided | undefined): boolean {
  if (point === null) return false;
  return last?.point === undefined || last.point === null || point.position > last.point.position;
}

function pointOf(decided: Decided | undefined, { log }: CommandContext) {
  if (decided === undefined) return {};
  const { position, consistencyToken } = tailOf(decided, log);
  return position === undefined ? {} : { position, consistencyToken };
}
