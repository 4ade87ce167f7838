/**
 * How many commands and queries per second a caller may send, and how many commands a ledger takes of all its callers. Commands
 * are counted, not calls: a batch is as many as it holds. What operates the platform is not limited: health, operations, proofs.
 */
import { isMessage, type Message } from '@bufbuild/protobuf';
import { Counter, type Registry } from 'prom-client';
import { RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible';
import {
  ExecuteBatchRequestSchema,
  StreamCommandsRequestSchema,
} from '../../gen/quittance/command/v1/transaction_command_service_pb.js';
import { ErrorReason } from '../../gen/quittance/common/v1/error_reason_pb.js';
import type { LimitsConfig } from '../base/limits-config.js';
import { pause } from '../base/pause.js';
import type { Call } from './call.js';
import { CallError, fail } from './errors.js';
import { COMMANDS } from './proto-key.js';
import type { Method } from './service.js';

/** Who makes a call. */
export type LimitedCall = Pick<Call, 'actor' | 'signal'>;

const QUERIES = 'quittance.query.';
const WINDOW_S = 1;

/** One limit: of one caller, or of one ledger. */
interface Limit {
  readonly what: 'caller' | 'ledger';
  readonly per_second: number;
  readonly points: RateLimiterMemory;
}

/** What a call asks for. */
interface Demand {
  readonly limit: Limit;
  readonly key: string;
  readonly count: number;
}

export class CallLimits {
  readonly #commandsOfCaller: Limit | undefined;
  readonly #commandsOfLedger: Limit | undefined;
  readonly #queriesOfCaller: Limit | undefined;
  readonly #counter: Counter;

  constructor({ commandsPerCaller, commandsPerLedger, queriesPerCaller }: LimitsConfig, registry: Registry) {
    this.#commandsOfCaller = limitOf('caller', commandsPerCaller);
    this.#commandsOfLedger = limitOf('ledger', commandsPerLedger);
    this.#queriesOfCaller = limitOf('caller', queriesPerCaller);
    this.#counter = new Counter({
      name: 'quittance_calls_limited_total',
      help: 'Calls refused since their caller or their ledger asked for too much per second, and times that a stream was made to wait for it.',
      labelNames: ['method', 'limit'],
      registers: [registry],
    });
  }

  /** Whether calls of the method are counted: those of other methods always pass. */
  concerns({ name }: Method): boolean {
    return name.startsWith(COMMANDS)
      ? this.#commandsOfCaller !== undefined || this.#commandsOfLedger !== undefined
      : name.startsWith(QUERIES) && this.#queriesOfCaller !== undefined;
  }

  /** @throws CallError RATE_LIMITED */
  async admit(method: Method, request: Message, call: LimitedCall): Promise<void> {
    for (const demand of this.#demandsOf(method, [request], call)) {
      const wait_ms = await refusedFor(demand);
      if (wait_ms === undefined) continue;
      this.#counter.inc({ method: method.name, limit: demand.limit.what });
      throw limited(demand, wait_ms);
    }
  }

  /** Resolves when messages of a stream may pass: it is slowed, since later commands may need those before them. */
  async pace(method: Method, requests: readonly (Message | CallError)[], call: LimitedCall): Promise<void> {
    const sent = requests.flatMap((request) => (request instanceof CallError ? [] : [request]));
    for (const demand of this.#demandsOf(method, sent, call)) {
      let wait_ms = await refusedFor(demand);
      if (wait_ms !== undefined) this.#counter.inc({ method: method.name, limit: demand.limit.what });
      while (wait_ms !== undefined && !call.signal.aborted) {
        await pause(wait_ms, call.signal);
        wait_ms = await refusedFor(demand);
      }
    }
  }

  #demandsOf({ name }: Method, requests: readonly Message[], { actor }: LimitedCall): Demand[] {
    if (!name.startsWith(COMMANDS)) return demandsOf(this.#queriesOfCaller, new Map([[actor, 1]]));
    const byLedger = new Map<string, number>();
    let commands = 0;
    for (const request of requests) {
      const { ledgerId, count } = commandsIn(request);
      commands += count;
      byLedger.set(ledgerId, (byLedger.get(ledgerId) ?? 0) + count);
    }
    const ofCaller = demandsOf(this.#commandsOfCaller, new Map([[actor, commands]]));
    return [...ofCaller, ...demandsOf(this.#commandsOfLedger, byLedger)];
  }
}

function limitOf(what: Limit['what'], per_second: number): Limit | undefined {
  if (per_second === 0) return undefined;
  return { what, per_second, points: new RateLimiterMemory({ points: per_second, duration: WINDOW_S }) };
}

function demandsOf(limit: Limit | undefined, counts: ReadonlyMap<string, number>): Demand[] {
  return limit === undefined ? [] : [...counts].map(([key, count]) => ({ limit, key, count }));
}

function commandsIn(request: Message): { readonly ledgerId: string; readonly count: number } {
  if (isMessage(request, ExecuteBatchRequestSchema)) {
    return { ledgerId: request.ledgerId, count: request.commands.length };
  }
  const command = isMessage(request, StreamCommandsRequestSchema) ? request.command?.command.value : request;
  return {
    ledgerId: command !== undefined && 'ledgerId' in command ? String(command.ledgerId) : '',
    count: 1,
  };
}

/** How long to wait until there is room again; undefined if there is room, which is then taken. */
async function refusedFor({ limit, key, count }: Demand): Promise<number | undefined> {
  try {
    // What is more than a second allows passes when it is the first of its second.
    await limit.points.consume(key, Math.min(count, limit.per_second));
    return undefined;
  } catch (refusal) {
    if (refusal instanceof RateLimiterRes) return Math.max(1, refusal.msBeforeNext);
    throw refusal;
  }
}

function limited({ limit: { what, per_second } }: Demand, retryAfter_ms: number): CallError {
  const message =
    what === 'caller'
      ? 'the caller asks for more per second than it may'
      : 'the ledger takes no more per second';
  const metadata = { limit: what, per_second: String(per_second) };
  return fail(ErrorReason.RATE_LIMITED, message, { retryAfter_ms, metadata });
}
