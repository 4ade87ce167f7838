/** The lease of a shard, as the command service knows it. */

/** A process that wants the lease. */
export interface Candidate {
  /** A UUID of this process alone. */
  readonly id: string;
  /** Where the other processes reach its gRPC door, host:port. */
  readonly address: string;
}

/** Who has the lease. */
export interface Lease {
  readonly holder: string;
  readonly address: string;
  /** Rises each time that the lease is taken. */
  readonly term: bigint;
  /** Whether it has expired by the clock of the database: then any process may take it. */
  readonly hasExpired: boolean;
}

/** The lease of one shard in the database of its log. Each call fails if the database does not answer in time. */
export interface LeaseStore {
  /** The lease as it is; undefined if no process ever had it. */
  read(): Promise<Lease | undefined>;
  /**
   * Takes the lease if it has expired, or if it names this candidate's address: a process that has bound the address is the
   * only one there, so the one that left the lease is dead. Returns the new term; undefined if another process has it.
   */
  take(candidate: Candidate, duration_ms: number): Promise<bigint | undefined>;
  /** Lengthens the lease. Returns false if another process has taken it. */
  renew(candidate: Candidate, term: bigint, duration_ms: number): Promise<boolean>;
  /** Lets the lease expire now, if this candidate still has it. */
  release(candidate: Candidate, term: bigint): Promise<void>;
}
