/** A command of a batch or stream, by the rules of its contract: it is checked when its turn comes and answers for itself. */
import type { Command } from '../../../gen/quittance/command/v1/transaction_command_service_pb.js';
import { type CommandCase, requestSchema } from '../../../lib/log/canonical-body.js';
import { checkMessage } from '../../../lib/platform/validation.js';
import { invalidField } from './shape.js';

/** @throws CallError INVALID_FIELD, UNKNOWN_FIELD */
export function checkedCase(command: Command | undefined): CommandCase {
  if (command?.command.case === undefined) throw invalidField('command', 'is required');
  checkMessage(requestSchema(command.command.case), command.command.value);
  return command.command;
}
