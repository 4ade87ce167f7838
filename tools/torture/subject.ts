/** What is tortured: a platform of processes, each of which may be hurt and comes back. */
import type { Link } from './link.js';

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
  /** Starts it again after it ended, as often as it takes; nothing if it runs. */
  restart(): Promise<void>;
}

/** The links to one server, or between the processes of one service. */
export interface LinkGroup {
  /** Such as `services to postgres`. */
  readonly name: string;
  readonly links: readonly Link[];
}

/** The clock of one process. */
export interface Clock {
  /** The name of the process. */
  readonly name: string;
  /** @param offset_s seconds from the clock of the machine; 0: as the machine has it */
  set(offset_s: number): void;
}

/** The disk of one server. */
export interface Disk {
  /** The name of the server. */
  readonly name: string;
  fill(): Promise<void>;
  free(): Promise<void>;
}

export interface Subject {
  readonly name: 'embedded' | 'stack';
  readonly victims: readonly Victim[];
  readonly network: readonly LinkGroup[];
  readonly clocks: readonly Clock[];
  readonly disks: readonly Disk[];
  /** Addresses of gRPC doors; a caller takes one and stays with it. */
  readonly commands: readonly string[];
  readonly queries: readonly string[];
  readonly projectors: readonly string[];
  /** Further faults that only this subject knows, by name. */
  readonly faults: Readonly<Record<string, () => Promise<void>>>;
  stop(): Promise<void>;
}
