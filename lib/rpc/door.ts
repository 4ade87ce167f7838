/** An open door, whichever protocols it speaks. */
export interface Door {
  readonly port: number;
  /** Takes no new calls and resolves when those under way have ended. */
  drain(): Promise<void>;
  /** Ends what is still under way. */
  close(): Promise<void>;
}
