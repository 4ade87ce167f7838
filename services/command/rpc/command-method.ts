/** What the API needs to know of one kind of command: how its request becomes a command, and what it is answered with. */
import type { CommandResult } from '../../../gen/quittance/command/v1/transaction_command_service_pb.js';
import type { Event } from '../../../gen/quittance/event/v1/event_pb.js';
import type { CommandCase } from '../../../lib/log/canonical-body.js';
import type { Command, MovementCommand } from '../domain/command.js';

/** The name of a kind of command: its case in the messages Command and CommandResult. */
export type Kind = CommandCase['case'];

type AnswerCase = Exclude<CommandResult['result'], { case: undefined | 'error' }>;
type Requests = { readonly [C in CommandCase as C['case']]: C['value'] };
type Answers = { readonly [C in AnswerCase as C['case']]: C };

/** The request message of a kind. */
export type RequestOf<K extends Kind> = Requests[K];
/** The answer to a kind of command, under the name of its case. */
export type AnswerOf<K extends Kind> = Answers[K];
/** The answer to any command. */
export type Answer = AnswerOf<Kind>;

/** Where a command stands in the log. */
export interface Receipt {
  /** Zero if nothing was stored (validate_only). */
  readonly position: bigint;
  /** Empty if nothing was stored; an abbreviated answer leaves it out. */
  readonly consistencyToken: string;
  readonly replayed: boolean;
}

/** A decided command, as its answer is made of it. */
export interface Answering {
  /** The first event of the command. */
  readonly event: Event;
  /** The command that the event carries as its canonical body; null: decode it from there. */
  readonly command: CommandCase | null;
  readonly receipt: Receipt;
  /** Whether the answer leaves out what the caller sent, and what it can read: see ExecuteBatchResponse.abbreviated. */
  readonly isAbbreviated: boolean;
}

/** One kind of command. */
export interface CommandMethod<K extends Kind> {
  /** The request under the name of its kind. */
  named(request: RequestOf<K>): CommandCase;
  /**
   * The command of a request whose contract rules were checked.
   * @throws CallError INVALID_FIELD and the other errors that the message alone shows
   */
  toCommand(request: RequestOf<K>): Command;
  /** The same where an ATOMIC batch takes the command; null where it does not. */
  readonly toMovement: ((request: RequestOf<K>) => MovementCommand) | null;
  /** The answer: a pure function of the events, so that a replay answers as the first time. */
  answer(decided: Answering): AnswerOf<K>;
}

/** A kind of command that moves or holds money: an ATOMIC batch takes it. */
export function movement<K extends Kind>(
  method: Omit<CommandMethod<K>, 'toCommand' | 'toMovement'> & {
    readonly toCommand: (request: RequestOf<K>) => MovementCommand;
  },
): CommandMethod<K> {
  return { ...method, toMovement: method.toCommand };
}
