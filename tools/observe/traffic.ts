/** Does, in a ledger of its own, what the panels of the dashboards show. */
import { randomUUID } from 'node:crypto';
import { AccountCommandService } from '../../gen/quittance/command/v1/account_command_service_pb.js';
import { LedgerCommandService } from '../../gen/quittance/command/v1/ledger_command_service_pb.js';
import { TransactionCommandService } from '../../gen/quittance/command/v1/transaction_command_service_pb.js';
import { LedgerService } from '../../gen/quittance/ops/v1/ledger_service_pb.js';
import { ProjectionService } from '../../gen/quittance/ops/v1/projection_service_pb.js';
import { AccountQueryService } from '../../gen/quittance/query/v1/account_query_service_pb.js';
import { ReportQueryService } from '../../gen/quittance/query/v1/report_query_service_pb.js';
import { TransactionQueryService } from '../../gen/quittance/query/v1/transaction_query_service_pb.js';
import { pause } from '../../lib/base/pause.js';
import { StartError } from '../../lib/base/start-error.js';
import { callErrorOf } from '../client/errors.js';
import { type GrpcClient, grpcClient } from '../client/grpc-client.js';

/** The gRPC doors of the services; embedded they are one. */
export interface Doors {
  readonly command: string;
  readonly operations: string;
  readonly query: string;
}

const commands = TransactionCommandService.method;
/** Twenty rounds per second are some 100 calls. */
const ROUND_MS = 50;

export class PanelTraffic {
  readonly #command: GrpcClient;
  readonly #operations: GrpcClient;
  readonly #query: GrpcClient;
  readonly #ledgerId = `panels-${randomUUID().slice(0, 8)}`;

  constructor({ command, operations, query }: Doors) {
    this.#command = grpcClient(command);
    this.#operations = grpcClient(operations);
    this.#query = grpcClient(query);
  }

  /** Opens the ledger and its accounts. */
  async open(): Promise<void> {
    await this.#command.unary(LedgerCommandService.method.createLedger, this.#ids());
    for (const accountId of ['payer', 'payee']) {
      const account = { ...this.#ids(), accountId, currency: 'EUR' };
      await this.#command.unary(AccountCommandService.method.openAccount, account);
    }
    await this.#command.unary(commands.deposit, {
      ...this.#ids(),
      accountId: 'payer',
      amount: euro(1_000_000n),
    });
  }

  /** One of each kind of call, over and over, until the signal aborts. */
  async play(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.#round();
      await pause(ROUND_MS, signal);
    }
  }

  /** Rebuilds the view that takes least time, and proves the ledger. */
  async rebuildAndProve(): Promise<void> {
    await this.#operations.unary(ProjectionService.method.rebuildProjection, { projectionId: 'balances' });
    const proof = this.#operations.serverStream(LedgerService.method.verifyLedger, {
      ledgerId: this.#ledgerId,
    });
    for await (const { event } of proof) {
      if (event.case === 'finding') throw new StartError('VerifyLedger found a difference');
    }
  }

  close(): void {
    for (const client of [this.#command, this.#operations, this.#query]) client.close();
  }

  async #round(): Promise<void> {
    const ledgerId = this.#ledgerId;
    const { consistencyToken } = await this.#command.unary(commands.submitPayment, this.#payment(125n));
    const consistency = { requirement: { case: 'atLeastAsFresh' as const, value: consistencyToken } };
    const read = { ledgerId, accountId: 'payee', consistency };
    await Promise.all([
      this.#query.unary(AccountQueryService.method.getBalance, read),
      this.#query.unary(TransactionQueryService.method.listTransactions, read),
      this.#query.unary(ReportQueryService.method.getTrialBalance, { ledgerId, consistency }),
      this.#command.unary(commands.submitPayment, this.#payment(1_000_000_000n)),
      this.#command.unary(commands.authorizePayment, this.#payment(1n)),
      this.#refused(),
    ]);
  }

  async #refused(): Promise<void> {
    const unknown = { ...this.#payment(1n), payeeAccountId: 'no-such-account' };
    await this.#command.unary(commands.submitPayment, unknown).catch((error: unknown) => {
      if (callErrorOf(error).reason !== 'ACCOUNT_NOT_FOUND') throw error;
    });
  }

  #payment(minorUnits: bigint) {
    return { ...this.#ids(), payerAccountId: 'payer', payeeAccountId: 'payee', amount: euro(minorUnits) };
  }

  #ids() {
    return { ledgerId: this.#ledgerId, requestId: randomUUID() };
  }
}

function euro(minorUnits: bigint) {
  return { currency: 'EUR', minorUnits };
}
