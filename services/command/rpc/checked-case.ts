/** A command of a batch or stream, by the rules of its contract: it is checked when its turn comes and answers for itself. */
import type { Message } from '@bufbuild/protobuf';
import type {
  Command,
  StreamCommandsRequest,
} from '../../../gen/quittance/command/v1/transaction_command_service_pb.js';
import { ErrorReason } from '../../../gen/quittance/common/v1/error_reason_pb.js';
import { type CommandCase, requestSchema } from '../../../lib/log/canonical-body.js';
import { fail } from '../../../lib/rpc/errors.js';
import { checkMessage } from '../../../lib/rpc/validation.js';
import { invalidField } from './request-parts.js';

/** @throws CallError INVALID_FIELD, UNKNOWN_FIELD */
export function checkedCase(command: Command | undefined): CommandCase {
  if (command !== undefined) refuseUnknown(command, 'command.');
  if (command?.command.case === undefined) throw invalidField('command', 'is required');
  // Its trial balance may take long to work out, and what comes after it would wait.
  if (command.command.case === 'closePeriod') throw invalidField('close_period', 'is a call of its own');
  checkMessage(requestSchema(command.command.case), command.command.value);
  return command.command;
}

/** The command of one message of a stream. @throws CallError INVALID_FIELD, UNKNOWN_FIELD */
export function streamedCase(request: StreamCommandsRequest): CommandCase {
  refuseUnknown(request, '');
  return checkedCase(request.command);
}

/** What holds the command is checked here, and not what it holds: a kind of command that is newer than this server, say. */
function refuseUnknown({ $unknown }: Message, path: string): void {
  const first = $unknown?.[0];
  if (first === undefined) return;
  const field = `${path}${String(first.no)}`;
  const description = 'is not a field that this server knows';
  throw fail(
    ErrorReason.UNKNOWN_FIELD,
    `unknown field ${field}: commands are refused rather than half understood`,
    { fields: [{ field, description }] },
  );
}
