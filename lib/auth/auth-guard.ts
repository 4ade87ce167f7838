/** The guard of a process that authenticates its callers: by API keys, and by the tokens of an issuer if there is one. */
import { ErrorReason } from '../../gen/quittance/common/v1/error_reason_pb.js';
import { CallError, fail } from '../rpc/errors.js';
import type { Caller, Guard, GuardedCall } from '../rpc/guard.js';
import { API_KEY_PREFIX } from './api-key.js';
import type { Denials } from './denials.js';
import type { JwtCallers } from './jwt.js';
import type { KeyRing } from './key-ring.js';
import type { KnownCaller } from './known-caller.js';
import { ruleOf } from './method-rules.js';

export interface AuthGuardDeps {
  readonly keys: Pick<KeyRing, 'callerOf'>;
  /** Undefined where there is no issuer. */
  readonly tokens: Pick<JwtCallers, 'callerOf'> | undefined;
  readonly denials: Denials;
}

/** The scheme is written in any case (RFC 9110), and followed by one token. */
const BEARER = /^bearer +([A-Za-z0-9._~+/=-]+)$/i;
const TOKEN_MAX_CHARS = 8_192;
/** Where a figure or a log line names a method, the page of figures has this name. */
const METRICS_PAGE = '/metrics';

/** Who calls what needs no credentials. */
const ANYBODY: Caller = {
  actor: 'anonymous',
  ledgers: { has: () => false, exact: [], prefixes: [] },
  authorize: () => undefined,
  onEnd: () => () => undefined,
};

export class AuthGuard implements Guard {
  readonly #deps: AuthGuardDeps;

  constructor(deps: AuthGuardDeps) {
    this.#deps = deps;
  }

  identify(call: GuardedCall, authorization: string | undefined): Caller | Promise<Caller> {
    if (ruleOf(call.method)?.subject === 'open') return ANYBODY;
    try {
      const caller = this.#callerOf(authorization);
      return caller instanceof Promise
        ? caller.catch((error: unknown) => {
            throw this.#recorded(error, call);
          })
        : caller;
    } catch (error) {
      throw this.#recorded(error, call);
    }
  }

  async readMetrics(authorization: string | undefined): Promise<void> {
    const page = { method: METRICS_PAGE, traceId: '' };
    let caller: KnownCaller;
    try {
      caller = await this.#callerOf(authorization);
    } catch (error) {
      throw this.#recorded(error, page);
    }
    if (caller.ledgers.mayEverywhere('metrics')) return;
    const message = 'the figures are not for this caller: they need the scope metrics';
    const refusal = fail(ErrorReason.PERMISSION_DENIED, message);
    throw this.#deps.denials.record(refusal, { ...page, actor: caller.actor });
  }

  #callerOf(authorization: string | undefined): KnownCaller | Promise<KnownCaller> {
    const token = tokenIn(authorization);
    const { keys, tokens } = this.#deps;
    if (token.startsWith(API_KEY_PREFIX)) return keys.callerOf(token);
    if (tokens !== undefined) return tokens.callerOf(token);
    throw fail(
      ErrorReason.UNAUTHENTICATED,
      'this server takes API keys only: no issuer of tokens is configured',
    );
  }

  #recorded(error: unknown, { method, traceId }: GuardedCall): unknown {
    return error instanceof CallError ? this.#deps.denials.record(error, { method, traceId }) : error;
  }
}

function tokenIn(authorization: string | undefined): string {
  if (authorization === undefined) {
    throw fail(
      ErrorReason.UNAUTHENTICATED,
      'the call has no credentials; send authorization: Bearer <token>',
    );
  }
  const [, token] = authorization.length > TOKEN_MAX_CHARS ? [] : (BEARER.exec(authorization) ?? []);
  if (token === undefined) {
    throw fail(ErrorReason.UNAUTHENTICATED, 'the authorization of the call is no bearer token');
  }
  return token;
}
