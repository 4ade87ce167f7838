/**
 * Load on several command processes, recorded on the side of the client, and its audit against the log: each acknowledged command
 * is there once, at the position and with the balances that its answer told; each other one at most once.
 */
import { randomUUID } from 'node:crypto';
import { LedgerCommandService } from '../../../gen/quittance/command/v1/ledger_command_service_pb.js';
import { AccountCommandService } from '../../../gen/quittance/command/v1/account_command_service_pb.js';
import {
  type SubmitPaymentResponse,
  TransactionCommandService,
} from '../../../gen/quittance/command/v1/transaction_command_service_pb.js';
import { uuidFromBytes } from '../../../lib/base/uuid.js';
import { createPool } from '../../../lib/log/postgres-client.js';
import { postgresLogReader } from '../../../lib/log/postgres-log-reader.js';
import type { RecordedEvent } from '../../../lib/log/recorded-event.js';
import { Wakeups } from '../../../lib/log/wakeups.js';
import type { TestDatabase } from '../../../test/postgres.js';
import { type GrpcClient, grpcClient } from '../../../tools/client/grpc-client.js';

export interface LoadOptions {
  readonly addresses: readonly string[];
  /** Payments in flight. */
  readonly callers: number;
  /** Of each attempt. */
  readonly deadline_ms: number;
}

export const LEDGER_ID = 'main';
const ACCOUNTS = ['alice', 'bob', 'carol', 'dave'];
const PAUSE_MS = 20;
const PAGE_EVENTS = 5_000;

/** Makes the ledger and its accounts. */
export async function makeBooks(address: string): Promise<void> {
  const client = grpcClient(address);
  try {
    const { createLedger } = LedgerCommandService.method;
    await client.unary(createLedger, { ledgerId: LEDGER_ID, requestId: randomUUID() });
    for (const accountId of ACCOUNTS) {
      const about = { ledgerId: LEDGER_ID, accountId };
      await client.unary(AccountCommandService.method.openAccount, {
        ...about,
        requestId: randomUUID(),
        currency: 'EUR',
      });
      await client.unary(TransactionCommandService.method.deposit, {
        ...about,
        requestId: randomUUID(),
        amount: { currency: 'EUR', minorUnits: 1_000_000n },
      });
    }
  } finally {
    client.close();
  }
}

/** Callers that send payments one after the other, each again until it is answered, to one process after the other. */
export class Load {
  /** What was acknowledged, by request id. */
  readonly answers = new Map<string, SubmitPaymentResponse>();
  /** Every request id that was ever sent. */
  readonly sent = new Set<string>();
  /** Attempts that failed, and by what. */
  readonly failures: string[] = [];
  /** The longest time without an acknowledgement. */
  longestGap_ms = 0;
  #lastAnswer_ms = performance.now();
  #isStopped = false;
  readonly #clients: readonly GrpcClient[];
  readonly #running: Promise<unknown>;

  constructor(private readonly options: LoadOptions) {
    this.#clients = options.addresses.map((address) => grpcClient(address));
    this.#running = Promise.all(Array.from({ length: options.callers }, (_, caller) => this.#run(caller)));
  }

  /** Resolves when so many more commands were acknowledged. */
  async more(count: number): Promise<void> {
    const wanted = this.answers.size + count;
    while (this.answers.size < wanted) await new Promise((resolve) => setTimeout(resolve, 1));
  }

  /** Ends when what is under way has been acknowledged. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    await this.#running;
    for (const client of this.#clients) client.close();
  }

  async #run(caller: number): Promise<void> {
    for (let turn = caller; !this.#isStopped; turn += 1) {
      const requestId = randomUUID();
      this.sent.add(requestId);
      for (let attempt = caller; !this.answers.has(requestId); attempt += 1) {
        await this.#attempt(requestId, turn, attempt);
      }
    }
  }

  async #attempt(requestId: string, turn: number, attempt: number): Promise<void> {
    const client = this.#clients[attempt % this.#clients.length];
    const payer = ACCOUNTS[turn % ACCOUNTS.length];
    const payee = ACCOUNTS[(turn + 1) % ACCOUNTS.length];
    if (client === undefined || payer === undefined || payee === undefined)
      throw new Error('there are accounts and processes');
    const { submitPayment } = TransactionCommandService.method;
    const request = {
      ledgerId: LEDGER_ID,
      requestId,
      payerAccountId: payer,
      payeeAccountId: payee,
      amount: { currency: 'EUR', minorUnits: BigInt(1 + (turn % 7)) },
    };
    try {
      const answer = await client.unary(submitPayment, request, this.options.deadline_ms);
      this.answers.set(requestId, answer);
      const now_ms = performance.now();
      this.longestGap_ms = Math.max(this.longestGap_ms, now_ms - this.#lastAnswer_ms);
      this.#lastAnswer_ms = now_ms;
    } catch (error) {
      this.failures.push(error instanceof Error ? error.message : String(error));
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    }
  }
}

/** What the audit found; each list is empty where all is well. */
export interface Audit {
  readonly lost: readonly string[];
  readonly doubled: readonly string[];
  readonly answeredWrongly: readonly string[];
  readonly unknown: readonly string[];
}

/** Compares what the client was told with the log. */
export async function audit(load: Load, database: Pick<TestDatabase, 'config'>): Promise<Audit> {
  const found = new Map<string, RecordedEvent[]>();
  for (const recorded of await eventsOf(database)) {
    const { requestId, payload } = recorded.event;
    if (payload.case !== 'transactionPosted' || requestId.length === 0) continue;
    const id = uuidFromBytes(requestId);
    found.set(id, [...(found.get(id) ?? []), recorded]);
  }
  const sent = [...load.sent];
  return {
    lost: sent.filter((id) => load.answers.has(id) && !found.has(id)),
    doubled: [...found].filter(([, events]) => events.length > 1).map(([id]) => id),
    answeredWrongly: [...load.answers]
      .filter(([id, answer]) => !agrees(answer, found.get(id)?.[0]))
      .map(([id]) => id),
    unknown: sent.filter((id) => !load.answers.has(id)),
  };
}

function agrees(answer: SubmitPaymentResponse, recorded: RecordedEvent | undefined): boolean {
  if (recorded?.event.payload.case !== 'transactionPosted') return false;
  const states = new Map(recorded.event.payload.value.accounts.map((state) => [state.accountId, state]));
  const areEqual = answer.accounts.every(({ accountId, balance }) => {
    const state = states.get(accountId);
    return state !== undefined && balance?.posted === state.credits - state.debits;
  });
  return areEqual && answer.accounts.length === 2 && answer.position === recorded.position;
}

async function eventsOf({ config }: Pick<TestDatabase, 'config'>): Promise<RecordedEvent[]> {
  const pool = createPool(config, { max: 1, name: 'audit' });
  try {
    const reader = postgresLogReader(pool, new Wakeups());
    const events: RecordedEvent[] = [];
    for (;;) {
      const after = events.at(-1)?.position ?? -1n;
      const page = await reader.page({
        after,
        through: null,
        limit: PAGE_EVENTS,
        ledgerId: null,
        streamId: null,
      });
      events.push(...page);
      if (page.length < PAGE_EVENTS) return events;
    }
  } finally {
    await pool.end();
  }
}
