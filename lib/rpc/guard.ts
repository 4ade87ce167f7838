/** Who calls, and what that caller may do. The chain asks a guard about every call; without one it asks nothing. */
import type { Message } from '@bufbuild/protobuf';
import type { Call } from './call.js';
import type { CallError } from './errors.js';
import type { Method } from './service.js';

/** What a guard knows of a call, for its log. */
export type GuardedCall = Pick<Call, 'method' | 'traceId'>;

export interface Guard {
  /**
   * Who calls. At once where the credentials are known already.
   * @param authorization the header of this name, as it came
   * @throws CallError UNAUTHENTICATED
   */
  identify(call: GuardedCall, authorization: string | undefined): Caller | Promise<Caller>;
  /** @throws CallError UNAUTHENTICATED, PERMISSION_DENIED: the figures are not for this caller */
  readMetrics(authorization: string | undefined): Promise<void>;
}

export interface Caller {
  /** As events name the caller. */
  readonly actor: string;
  /** The ledgers that the caller may see. */
  readonly ledgers: VisibleLedgers;
  /** @throws CallError PERMISSION_DENIED, LEDGER_NOT_FOUND */
  authorize(method: Method, request: Message, call: GuardedCall): void;
  /** Calls back when the credentials end, at once if they have. Returns how to stop that. */
  onEnd(listener: (reason: CallError) => void): () => void;
}

/** Some ledgers, by their ids. */
export interface VisibleLedgers {
  has(ledgerId: string): boolean;
  /** Ids of single ledgers, and prefixes of ids; the empty prefix stands for all. */
  readonly exact: readonly string[];
  readonly prefixes: readonly string[];
}
