/** Answers to commands that were decided. */
import type { CommandResult } from '../../../gen/quittance/command/v1/transaction_command_service_pb.js';
import type { LogPoint } from '../../../lib/log/recorded-event.js';
import { encodeConsistencyToken } from '../../../lib/rpc/tokens.js';
import type { Decided } from '../application/job.js';
import type { AnswerOf, Kind, Receipt } from './command-method.js';
import { COMMANDS } from './command-table.js';

/** The log that tokens name. */
export interface LogIdentity {
  readonly logId: Uint8Array;
  readonly shard: number;
}

/** The answer to a command of this kind. */
export function answerOf<K extends Kind>(kind: K, decided: Decided, log: LogIdentity): AnswerOf<K> {
  return COMMANDS[kind].answer({
    event: firstEventOf(decided),
    command: decided.command,
    receipt: receiptOf(decided, log),
    isAbbreviated: false,
  });
}

/** The same without what the caller sent or can read, and without a token: of a size that is bounded by a few KiB. */
export function abbreviatedAnswerOf<K extends Kind>(kind: K, decided: Decided): AnswerOf<K> {
  const { point, replayed } = decided;
  return COMMANDS[kind].answer({
    event: firstEventOf(decided),
    command: decided.command,
    receipt: { position: point?.position ?? 0n, consistencyToken: '', replayed },
    isAbbreviated: true,
  });
}

/** The answer, or the error, as an item of a batch or a stream. */
export function resultOf(result: CommandResult['result']): CommandResult {
  return { $typeName: 'quittance.command.v1.CommandResult', result };
}

function firstEventOf({ events: [event] }: Decided) {
  if (event === undefined) throw new Error('a command of a caller has an event');
  return event;
}

function receiptOf({ point, replayed }: Decided, log: LogIdentity): Receipt {
  if (point === null) return { position: 0n, consistencyToken: '', replayed };
  return { position: point.position, consistencyToken: tokenOf(point, log), replayed };
}

/** The consistency token of a point of the log. */
export function tokenOf(point: LogPoint, { logId, shard }: LogIdentity): string {
  const { epoch, position, hash } = point;
  return encodeConsistencyToken({ logId, shard, epoch, position, hash });
}
