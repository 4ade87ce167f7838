/** How many streams may be open at once: of all callers, of one connection, and of those who operate the platform. */
import { ErrorReason } from '../../gen/quittance/common/v1/error_reason_pb.js';
import { fail } from './errors.js';

export interface StreamLimits {
  /** Streams open at once. */
  readonly streamLimit: number;
  /** Of these, what one connection may have: the rest is left to the others. */
  readonly streamsPerConnection: number;
  /** Of all, what only operations get: proof of the books, health. */
  readonly streamsForOperations: number;
}

const OPERATIONS = ['quittance.ops.', 'grpc.health.'];

/** Counts the open streams. */
export class StreamSlots {
  readonly #limits: StreamLimits;
  readonly #byConnection = new Map<string, number>();
  #open = 0;

  constructor(limits: StreamLimits) {
    this.#limits = limits;
  }

  /**
   * Takes a place, and returns how to give it back, once.
   * @param connection the caller's, if the door knows it
   * @throws CallError TOO_MANY_STREAMS
   */
  take(method: string, connection: string | undefined): () => void {
    const { streamLimit, streamsPerConnection, streamsForOperations } = this.#limits;
    const isOperation = OPERATIONS.some((prefix) => method.startsWith(prefix));
    if (this.#open >= streamLimit - (isOperation ? 0 : streamsForOperations)) {
      throw fail(ErrorReason.TOO_MANY_STREAMS, 'the server has as many open streams as it allows');
    }
    const ofConnection = connection === undefined ? 0 : (this.#byConnection.get(connection) ?? 0);
    if (!isOperation && ofConnection >= streamsPerConnection) {
      const message = `the connection has ${String(ofConnection)} open streams, as many as one may have`;
      throw fail(ErrorReason.TOO_MANY_STREAMS, message);
    }
    this.#open += 1;
    if (connection !== undefined) this.#byConnection.set(connection, ofConnection + 1);
    let isTaken = true;
    return () => {
      if (!isTaken) return;
      isTaken = false;
      this.#open -= 1;
      if (connection !== undefined) this.#giveBack(connection);
    };
  }

  #giveBack(connection: string): void {
    const left = (this.#byConnection.get(connection) ?? 0) - 1;
    if (left > 0) this.#byConnection.set(connection, left);
    else this.#byConnection.delete(connection);
  }
}
