/** All unary commands take one way: request, command, events, answer. */
import type { Call } from '../../../lib/rpc/call.js';
import { answerOf } from './answer.js';
import type { AnswerOf, Kind, RequestOf } from './command-method.js';
import { COMMANDS } from './command-table.js';
import { type CommandContext, decideOne, requestOf } from './submit.js';

/** The method of one kind of command. */
export function unary<K extends Kind>(
  context: CommandContext,
  kind: K,
): (request: RequestOf<K>, call: Call) => Promise<AnswerOf<K>['value']> {
  return async (request, call) => {
    const decided = await decideOne(context.executor, requestOf(COMMANDS[kind].named(request), call), call);
    return answerOf(kind, decided, context.log).value;
  };
}
