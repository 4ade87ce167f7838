/** All unary commands are one path: request -> command -> events -> answer. */
import type { CommandCase } from '../../../lib/log/canonical-body.js';
import type { Call } from '../../../lib/rpc/call.js';
import { type Answer, answerOf } from './answer.js';
import { type CommandContext, decideSingle, requestOf } from './submit.js';

type Kind = CommandCase['case'];
type RequestOf<K extends Kind> = Extract<CommandCase, { case: K }>['value'];
type AnswerOf<K extends Kind> = Extract<Answer, { case: K }>['value'];

/** The method of one kind of command. */
export function unary<K extends Kind>(
  context: CommandContext,
  kind: K,
): (request: RequestOf<K>, call: Call) => Promise<AnswerOf<K>> {
  return async (value, call) => {
    // The pair is a case by construction, which the compiler cannot see through the type parameter.
    const command = { case: kind, value } as unknown as CommandCase;
    const decided = await decideSingle(context.executor, requestOf(command, call), call);
    return answerOf(kind, decided, context.log).value as AnswerOf<K>;
  };
}
