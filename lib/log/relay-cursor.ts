/** Up to where the log was relayed, kept beside the log. */

/** Everything up to `position` is stored by the broker. */
export interface RelayCursor {
  readonly epoch: number;
  /** -1n before the first. */
  readonly position: bigint;
  /** Of the event at `position`. */
  readonly hash: Uint8Array;
  /** For each partition the position of its last event up to there; -1n for none. */
  readonly lasts: readonly bigint[];
}

export interface RelayCursorStore {
  /** @throws Error if there is no such topic. */
  read(): Promise<RelayCursor>;
  /**
   * Forward only. A crash of the database may lose the last saves: the relay then sends the events after them
   * again.
   */
  save(cursor: RelayCursor): Promise<void>;
}

/** The cursor before anything was sent. */
export function firstCursor(partitions: number): RelayCursor {
  const lasts = Array.from({ length: partitions }, () => -1n);
  return { epoch: 0, position: -1n, hash: new Uint8Array(0), lasts };
}
