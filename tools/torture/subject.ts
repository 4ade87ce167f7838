/** What is tortured: a platform of processes, each of which may be hurt and comes back. */

/** A process, with all that it started. */
export interface Victim {
  readonly name: string;
  /** Whether it is ours (a service) or a server that it needs. */
  readonly isService: boolean;
  /** Its processes as they are now. */
  pids(): readonly number[];
  /** SIGTERM, as an orchestrator replaces it; resolves when it has ended. */
  end(): Promise<void>;
  /** SIGKILL; resolves when it has ended. */
  kill(): Promise<void>;
  /** Starts it again after it ended; nothing if it runs. */
  restart(): Promise<void>;
}

export interface Subject {
  readonly name: 'embedded' | 'stack';
  readonly victims: readonly Victim[];
  /** Addresses of gRPC doors; a caller takes one and stays with it. */
  readonly commands: readonly string[];
  readonly queries: readonly string[];
  readonly projectors: readonly string[];
  /** Further faults that only this subject knows, by name. */
  readonly faults: Readonly<Record<string, () => Promise<void>>>;
  stop(): Promise<void>;
}
