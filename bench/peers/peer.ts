/** A system that moves money, as the comparison sees it: accounts that were opened and funded, and payments between them. */

/** A payment of one minor unit between two accounts, by their numbers. */
export interface Payment {
  readonly payer: number;
  readonly payee: number;
}

export interface Peer {
  readonly name: string;
  /** What a reader of the table has to know of it. */
  readonly note: string;
  /** Opens and funds accounts 0 to `accounts` - 1. */
  prepare(accounts: number): Promise<void>;
  /** Resolves when the payment is durable. @throws Error if it was not made */
  pay(payment: Payment): Promise<void>;
  /** The same of many payments in one call; undefined where the system has no such call. */
  readonly payMany: ((payments: readonly Payment[]) => Promise<void>) | undefined;
  close(): Promise<void>;
}

/** What each account is funded with, in minor units. */
export const FUNDS = 1_000_000_000;

/** The ledger's name of a run: each run has a new one. */
export function ledgerOfRun(): string {
  return `bench-${Date.now().toString(36)}`;
}

/** The numbers of accounts in portions: none of the systems takes all in one call. */
export function portions(accounts: number, size: number): number[][] {
  const found: number[][] = [];
  for (let first = 0; first < accounts; first += size) {
    found.push(Array.from({ length: Math.min(size, accounts - first) }, (_, n) => first + n));
  }
  return found;
}
