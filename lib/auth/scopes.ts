/**
 * What a caller may do: scopes, each a kind of method and the ledgers that it is for. `read:books` is for the ledger `books`
 * alone, `read:shop-*` for all ledgers whose id begins with `shop-`, `read:*` for all. `metrics` has no ledger.
 */
import type { VisibleLedgers } from '../rpc/guard.js';

/** The kinds of methods. None includes another one. */
export const KINDS = ['read', 'write', 'admin', 'force', 'create', 'metrics'] as const;
export type Kind = (typeof KINDS)[number];

/** A ledger id, or the beginning of one and a `*`; of `metrics` only the name. */
const SCOPE = /^(?:metrics|(read|write|admin|force|create):([A-Za-z0-9][A-Za-z0-9_.:-]{0,127})?(\*)?)$/;
/** A caller has at most so many: each call looks through them. */
export const SCOPES_MAX = 100;

interface Scope {
  readonly kind: Kind;
  readonly ledgerId: string;
  readonly isPrefix: boolean;
}

/** The scope that a text is; undefined if it is none of ours. */
function scopeOf(text: string): Scope | undefined {
  if (text === 'metrics') return { kind: 'metrics', ledgerId: '', isPrefix: true };
  const [, named, ledgerId = '', star] = SCOPE.exec(text) ?? [];
  const kind = KINDS.find((each) => each === named);
  if (kind === undefined || (ledgerId === '' && star === undefined)) return undefined;
  return { kind, ledgerId, isPrefix: star !== undefined };
}

/** Whether a text is a scope of ours. */
export function isScope(text: string): boolean {
  return scopeOf(text) !== undefined;
}

/** The scopes of one caller. */
export class Grants implements VisibleLedgers {
  readonly #scopes: readonly Scope[];
  readonly exact: readonly string[];
  readonly prefixes: readonly string[];

  /** Texts that are no scopes of ours are passed over: a token may hold those of other services. */
  constructor(texts: readonly string[]) {
    this.#scopes = texts.flatMap((text) => scopeOf(text) ?? []);
    const ofLedgers = this.#scopes.filter(({ kind }) => kind !== 'metrics');
    this.exact = ofLedgers.filter(({ isPrefix }) => !isPrefix).map(({ ledgerId }) => ledgerId);
    this.prefixes = ofLedgers.filter(({ isPrefix }) => isPrefix).map(({ ledgerId }) => ledgerId);
  }

  get size(): number {
    return this.#scopes.length;
  }

  /** Whether the caller may call methods of this kind for the ledger. */
  may(kind: Kind, ledgerId: string): boolean {
    return this.#scopes.some((scope) => scope.kind === kind && covers(scope, ledgerId));
  }

  /** Whether the caller may call methods of this kind that concern all ledgers. */
  mayEverywhere(kind: Kind): boolean {
    return this.#scopes.some((scope) => scope.kind === kind && scope.isPrefix && scope.ledgerId === '');
  }

  /** Whether the caller may see the ledger: any scope for it will do. */
  has(ledgerId: string): boolean {
    return this.#scopes.some((scope) => scope.kind !== 'metrics' && covers(scope, ledgerId));
  }
}

function covers({ ledgerId, isPrefix }: Scope, named: string): boolean {
  return isPrefix ? named.startsWith(ledgerId) : named === ledgerId;
}
