/** The last verdict that this browser saw of each ledger. */
import { createStore } from './store.js';

export interface Proof {
  readonly isOk: boolean;
  /** As text: local storage takes no bigint. */
  readonly position: string;
  /** Hex. */
  readonly hash: string;
  /** Milliseconds since 1970. */
  readonly time_ms: number;
}

const KEY = 'quittance.proofs';

function read(): Readonly<Record<string, Proof>> {
  try {
    const found: unknown = JSON.parse(localStorage.getItem(KEY) ?? '{}');
    if (typeof found !== 'object' || found === null) return {};
    return Object.fromEntries(
      Object.entries(found).filter((each): each is [string, Proof] => isProof(each[1])),
    );
  } catch {
    return {};
  }
}

function isProof(value: unknown): value is Proof {
  return (
    typeof value === 'object' &&
    value !== null &&
    'isOk' in value &&
    'position' in value &&
    typeof value.position === 'string' &&
    'hash' in value &&
    'time_ms' in value &&
    typeof value.time_ms === 'number'
  );
}

export const proofStore = createStore(read());

export function keepProof(ledger: string, proof: Proof): void {
  const next = { ...proofStore.get(), [ledger]: proof };
  localStorage.setItem(KEY, JSON.stringify(next));
  proofStore.set(next);
}
