/** Whether a caller with these grants may make a call, by the rules of method-rules.ts. */
import { isMessage, type Message } from '@bufbuild/protobuf';
import { ErrorReason } from '../../gen/quittance/common/v1/error_reason_pb.js';
import {
  type Command,
  type ExecuteBatchRequest,
  ExecuteBatchRequestSchema,
  StreamCommandsRequestSchema,
} from '../../gen/quittance/command/v1/transaction_command_service_pb.js';
import { type CallError, fail } from '../rpc/errors.js';
import { ledgerNotFound } from '../rpc/ledger-not-found.js';
import { type MethodRule, ruleOf, ruleOfCommand } from './method-rules.js';
import type { Grants, Kind } from './scopes.js';

/** Why the call is refused; undefined if it is not. */
export function refusalOf(grants: Grants, method: string, request: Message): CallError | undefined {
  const rule = ruleOf(method);
  if (rule === undefined) return denied(method, 'no scope allows it');
  switch (rule.subject) {
    case 'open':
    case 'visible ledgers':
      return undefined;
    case 'platform':
      return rule.kind === undefined || grants.mayEverywhere(rule.kind) ? undefined : lacks(rule.kind, '*');
    case 'batch':
      if (!isMessage(request, ExecuteBatchRequestSchema)) return denied(method, 'it is no batch');
      return refusalOfBatch(grants, request);
    case 'commands':
      if (!isMessage(request, StreamCommandsRequestSchema)) return denied(method, 'it is no command');
      return refusalOfCommand(grants, request.command);
    case 'ledger':
    case 'new ledger':
      return refusalByRule(grants, rule, request);
    default:
      return rule.subject satisfies never;
  }
}

function refusalByRule(
  grants: Grants,
  { kind, subject }: MethodRule,
  request: Message,
): CallError | undefined {
  const ledgerId = 'ledgerId' in request && typeof request.ledgerId === 'string' ? request.ledgerId : '';
  const isForced = 'force' in request && request.force === true;
  // Without the scope the answer is the same whether the ledger exists or not.
  if (subject !== 'new ledger' && !grants.has(ledgerId)) return ledgerNotFound(ledgerId);
  if (kind !== undefined && !grants.may(kind, ledgerId)) return lacks(kind, ledgerId);
  return isForced && !grants.may('force', ledgerId) ? lacks('force', ledgerId) : undefined;
}

/** A batch is refused as a whole, before anything of it is decided. */
function refusalOfBatch(grants: Grants, { ledgerId, commands }: ExecuteBatchRequest): CallError | undefined {
  if (!grants.has(ledgerId)) return ledgerNotFound(ledgerId);
  for (const command of commands) {
    const refusal = refusalOfCommand(grants, command);
    if (refusal !== undefined) return refusal;
  }
  return undefined;
}

/** A command that says nothing is left to the method, which refuses it for its shape. */
function refusalOfCommand(grants: Grants, command: Command | undefined): CallError | undefined {
  const named = command?.command;
  if (named?.case === undefined) return undefined;
  const rule = ruleOfCommand(named.case);
  return rule === undefined
    ? denied(named.case, 'no scope allows it')
    : refusalByRule(grants, rule, named.value);
}

function lacks(kind: Kind, ledgerId: string): CallError {
  return denied('the call', `it needs the scope ${kind}:${ledgerId}`);
}

function denied(what: string, why: string): CallError {
  return fail(ErrorReason.PERMISSION_DENIED, `${what} is not allowed to this caller: ${why}`);
}
