/** The lease of the shard, as what decides commands needs it. */
export interface HeldLease {
  /** The term in which this process has the lease; undefined if it does not have it, or no longer for certain. */
  readonly term: bigint | undefined;
  /** To be called when the log has refused an append of this term: another process has taken the lease. */
  lost(term: bigint | undefined): void;
}
