/** What the callers of a torture run saw, written down at the caller's side, and what the log says at the end. */

/** How one attempt of a command ended for its caller. */
export type Outcome =
  /** Its answer: where it stands in the log, and all that it says of the transaction, as text. */
  | {
      readonly kind: 'answered';
      readonly position: bigint;
      readonly said: string;
      readonly declined: boolean;
    }
  /** An error that says that nothing was changed. */
  | { readonly kind: 'refused'; readonly reason: string }
  /** No answer, or an error that leaves open whether it was committed. */
  | { readonly kind: 'unknown'; readonly reason: string };

/** One try of a command, or of a batch that holds it. Times are of the run's own clock, in milliseconds. */
export interface Attempt {
  readonly sent_ms: number;
  readonly ended_ms: number;
  readonly outcome: Outcome;
}

/** A command under one request id; it is sent until it is answered or refused. */
export interface SentCommand {
  readonly requestId: string;
  /** Such as `submitPayment`. */
  readonly what: string;
  readonly attempts: readonly Attempt[];
}

/** A read of a balance by a caller who brought the token of a command. */
export interface BalanceRead {
  readonly accountId: string;
  /** The position of the command whose token it brought. */
  readonly required: bigint;
  readonly asOf: bigint;
  readonly state: AccountFacts;
}

/** A read of a transaction by a caller who brought the token of its command. */
export interface TransactionRead {
  readonly transactionId: string;
  readonly required: bigint;
  readonly asOf: bigint;
  /** Undefined: the view said that there is none. */
  readonly position: bigint | undefined;
}

/** The figures of an account, in minor units. */
export interface AccountFacts {
  readonly credits: bigint;
  readonly debits: bigint;
  readonly held: bigint;
  readonly version: bigint;
}

/** An event as the log has it at the end. */
export interface LoggedEvent {
  readonly position: bigint;
  /** Empty for events that no caller asked for. */
  readonly requestId: string;
  /** 0 for the first event of a command. */
  readonly ordinal: number;
  readonly declined: boolean;
  /** What it left of each account that it touched. */
  readonly accounts: ReadonlyMap<string, AccountFacts>;
}

/** Everything that the auditor judges. */
export interface History {
  readonly commands: readonly SentCommand[];
  readonly balanceReads: readonly BalanceRead[];
  readonly transactionReads: readonly TransactionRead[];
  /** All events of the ledger, in the order of the log. */
  readonly log: readonly LoggedEvent[];
  /** The balances as the view has them at the end, once it has caught up. */
  readonly balances: ReadonlyMap<string, AccountFacts>;
}
