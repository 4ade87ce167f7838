/** What a command of any kind would do now, by `validate_only`. */
import { create, type DescMessage, type DescMethod, type DescMethodUnary } from '@bufbuild/protobuf';
import { AccountCommandService } from '../../../gen/quittance/command/v1/account_command_service_pb.js';
import { LedgerCommandService } from '../../../gen/quittance/command/v1/ledger_command_service_pb.js';
import {
  type CommandResult,
  CommandResultSchema,
  TransactionCommandService,
} from '../../../gen/quittance/command/v1/transaction_command_service_pb.js';
import { UsageError } from '../../../lib/process/command-line.js';
import { callErrorOf, describe, isCallError } from '../../client/errors.js';
import type { FilledCommand } from '../batch-file.js';
import { isTemporary } from '../persist.js';
import type { Session } from '../session.js';
import { type BatchRow, outcomeOf } from '../sheets/batch-results.js';

const SERVICES = [LedgerCommandService, AccountCommandService, TransactionCommandService];

/** The unary methods by the field of Command that carries their request. */
const METHODS = new Map<string, DescMethodUnary>();
for (const { methods } of SERVICES)
  for (const method of methods) if (isUnary(method)) METHODS.set(method.localName, method);

/** The outcome; an error of the command is an outcome too. @throws the error of a call that may succeed later */
export async function previewOf(
  session: Session,
  { command }: FilledCommand,
): Promise<Omit<BatchRow, 'index' | 'command' | 'requestId'>> {
  if (command.case === undefined) throw new UsageError('a line holds no command');
  const method = METHODS.get(command.case);
  if (method === undefined) throw new UsageError(`${command.case} is not known`);
  try {
    const request = create<DescMessage>(method.input, { ...command.value, validateOnly: true });
    const value = await session.call('command', method, request);
    return outcomeOf(resultOf(command.case, value));
  } catch (error) {
    if (!isCallError(error) || isTemporary(error)) throw error;
    const read = callErrorOf(error);
    return { status: 'error', reason: read.reason, message: describe(read), isReplayed: false };
  }
}

function isUnary(method: DescMethod): method is DescMethod & DescMethodUnary {
  return method.methodKind === 'unary';
}

/** An answer in the place that it has in a batch. */
function resultOf(name: string, value: object): CommandResult {
  // The method that the field names answers with the message that the field takes.
  return create(CommandResultSchema, { result: { case: name, value } as CommandResult['result'] });
}
