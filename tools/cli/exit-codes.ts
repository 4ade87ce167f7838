/** The exit codes, and which error has which. */
import { status } from '@grpc/grpc-js';
import { UsageError } from '../../lib/process/command-line.js';
import { callErrorOf, isCallError } from '../client/errors.js';

export const DONE = 0;
export const FAILED = 1;
/** The command line, or a value in it, is not taken. */
export const MISUSED = 2;
export const DECLINED = 3;
export const NOT_FOUND = 4;
/** The server is away or too busy; the same line may be sent again. */
export const UNAVAILABLE = 5;
/** VerifyLedger found a difference. */
export const PROOF_DIFFERS = 6;
export const INTERRUPTED = 130;

/** The codes with what each means, for the help. */
export const EXIT_CODE_HELP =
  'Exit codes: 0 done, 1 error, 2 usage, 3 declined, 4 not found, 5 unavailable (the line to send again is printed), 6 the proof differs, 130 interrupted.';

const OF_STATUS: Readonly<Partial<Record<number, number>>> = {
  [status.INVALID_ARGUMENT]: MISUSED,
  [status.NOT_FOUND]: NOT_FOUND,
  [status.UNAVAILABLE]: UNAVAILABLE,
  [status.DEADLINE_EXCEEDED]: UNAVAILABLE,
  [status.RESOURCE_EXHAUSTED]: UNAVAILABLE,
};

/** The exit code of an error. */
export function exitCodeOf(error: unknown): number {
  if (error instanceof UsageError) return MISUSED;
  if (!isCallError(error)) return FAILED;
  return OF_STATUS[callErrorOf(error).code] ?? FAILED;
}
