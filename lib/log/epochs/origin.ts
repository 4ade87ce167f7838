/** What a database says of the history of its log. */
export interface Origin {
  /** At the end of the log. */
  readonly epoch: number;
  /** Whether the log was written elsewhere before: it was restored, or its standby was promoted. */
  readonly isMoved: boolean;
  /** The latest epoch of which a projection has seen what the log does not have; undefined: none has. */
  readonly lostEpoch: number | undefined;
}
