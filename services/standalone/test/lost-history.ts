/** Payments whose history is lost later, what their callers hold of it, and what must be told of that afterwards. */
import { randomUUID } from 'node:crypto';
import { expect } from '@jest/globals';
import {
  type SubmitPaymentResponse,
  TransactionCommandService,
} from '../../../gen/quittance/command/v1/transaction_command_service_pb.js';
import { AccountQueryService } from '../../../gen/quittance/query/v1/account_query_service_pb.js';
import { EventQueryService } from '../../../gen/quittance/query/v1/event_query_service_pb.js';
import { ReportQueryService } from '../../../gen/quittance/query/v1/report_query_service_pb.js';
import { TransactionQueryService } from '../../../gen/quittance/query/v1/transaction_query_service_pb.js';
import { endingOf, paymentOf, until } from '../../../test/load.js';
import type { GrpcClient } from '../../../tools/client/grpc-client.js';

const { submitPayment } = TransactionCommandService.method;
const { getBalance } = AccountQueryService.method;
const { listTransactions, watchTransactions } = TransactionQueryService.method;
const { watchEvents } = EventQueryService.method;
const { getTrialBalance } = ReportQueryService.method;

const FRESH = { requirement: { case: 'fullyConsistent' as const, value: true } };
const asFreshAs = (token: string) => ({ requirement: { case: 'atLeastAsFresh' as const, value: token } });

/** What callers hold of a history. */
export interface Held {
  readonly requestIds: readonly string[];
  readonly token: string;
  readonly pageToken: string;
  readonly resumeTokens: { readonly events: string; readonly transactions: string };
}

/** Where the books stand. */
export interface Stand {
  readonly token: string;
  readonly balance: bigint;
}

const LOST = 'HISTORY_LOST';
/** How reads end that build on what is lost. */
export const ALL_LOST = { balance: LOST, report: LOST, page: LOST, events: LOST, transactions: LOST };

/** The services as a test calls them: one address, or one for each. */
export interface Callers {
  readonly command: GrpcClient;
  readonly query: GrpcClient;
}

/** A ledger whose payments all go from account `a0` to `a1`. */
export class Payments {
  readonly #callers: Callers;
  readonly #ledgerId: string;

  constructor(callers: Callers, ledgerId: string) {
    this.#callers = callers;
    this.#ledgerId = ledgerId;
  }

  pay(requestId: string = randomUUID()) {
    const payment = { ...paymentOf(this.#ledgerId, 'a0', 'a1'), requestId };
    return this.#callers.command.unary(submitPayment, payment);
  }

  /** Pays, and tries again under the same id until it is answered: a database that is being replaced is away for a moment. */
  async payUntilAnswered(requestId: string = randomUUID()): Promise<SubmitPaymentResponse> {
    let answer: SubmitPaymentResponse | undefined;
    await until('the payment is answered', async () => {
      answer = await this.pay(requestId).catch(() => undefined);
      return answer !== undefined;
    });
    if (answer === undefined) throw new Error('it was waited for');
    return answer;
  }

  /** The balance of the account that all payments go to, as fresh as a token; with every event by default. */
  async received(token?: string): Promise<bigint> {
    const consistency = token === undefined ? FRESH : asFreshAs(token);
    const account = { ledgerId: this.#ledgerId, accountId: 'a1', consistency };
    const { balance } = await this.#callers.query.unary(getBalance, account);
    return balance?.posted ?? -1n;
  }

  /** Pays, and sees that in every view. */
  async stand(): Promise<Stand> {
    const { consistencyToken: token } = await this.pay();
    const consistency = asFreshAs(token);
    const of = { ledgerId: this.#ledgerId, consistency };
    await this.#callers.query.unary(getTrialBalance, of);
    await this.#callers.query.unary(listTransactions, { ...of, pageSize: 5 });
    return { token, balance: await this.received(token) };
  }

  /** Pays so often, one payment after the other, and reads what is made of it. */
  async payAndHold(count: number): Promise<Held> {
    const { query } = this.#callers;
    const ledgerId = this.#ledgerId;
    const requestIds = Array.from({ length: count }, () => randomUUID());
    let token = '';
    for (const requestId of requestIds) {
      ({ consistencyToken: token } = await this.payUntilAnswered(requestId));
    }
    await this.received(token);
    const consistency = asFreshAs(token);
    await query.unary(getTrialBalance, { ledgerId, consistency });
    const page = await query.unary(listTransactions, { ledgerId, pageSize: 5, consistency });
    const event = await first(query.serverStream(watchEvents, { ledgerId }));
    const transaction = await first(query.serverStream(watchTransactions, { ledgerId }));
    return {
      requestIds,
      token,
      pageToken: page.nextPageToken,
      resumeTokens: { events: event.resumeToken, transactions: transaction.resumeToken },
    };
  }

  /** How reads end that build on a history. */
  async endings({ token, pageToken, resumeTokens }: Held): Promise<Record<string, string>> {
    const { query } = this.#callers;
    const ledgerId = this.#ledgerId;
    const consistency = asFreshAs(token);
    const account = { ledgerId, accountId: 'a1', consistency };
    const start = { case: 'resumeToken' as const, value: resumeTokens.events };
    const resumeToken = resumeTokens.transactions;
    return {
      balance: await endingOf(query.unary(getBalance, account)),
      report: await endingOf(query.unary(getTrialBalance, { ledgerId, consistency })),
      page: await endingOf(query.unary(listTransactions, { ledgerId, pageSize: 5, pageToken })),
      events: await endingOf(first(query.serverStream(watchEvents, { ledgerId, start }))),
      transactions: await endingOf(first(query.serverStream(watchTransactions, { ledgerId, resumeToken }))),
    };
  }

  /**
   * After the log has gone back to `before`: the next payment is booked, every token of what is lost says so, and what was before is
   * as it was. Gives how long that took, milliseconds. Then all that is lost is sent again, and booked once.
   */
  async expectWhole(held: Held, before: Stand, prove: () => Promise<void>): Promise<number> {
    const began_ms = performance.now();
    const after = await this.payUntilAnswered();
    expect(await this.received(after.consistencyToken)).toBe(before.balance + 1n);
    expect(await this.endings(held)).toEqual(ALL_LOST);
    expect(await this.received(before.token)).toBe(before.balance + 1n);
    await prove();
    const took_ms = Math.round(performance.now() - began_ms);
    for (const requestId of held.requestIds) {
      const again = await this.pay(requestId);
      expect(again.replayed).toBe(false);
    }
    expect(await this.received()).toBe(before.balance + 1n + BigInt(held.requestIds.length));
    await prove();
    return took_ms;
  }
}

async function first<T>(stream: AsyncIterable<T>): Promise<T> {
  for await (const message of stream) return message;
  throw new Error('the stream ended without a message');
}
