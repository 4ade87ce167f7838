/** Quittance, over gRPC by the plain client of the tools. */
import { randomUUID } from 'node:crypto';
import { create, type MessageInitShape } from '@bufbuild/protobuf';
import { LedgerCommandService } from '../../gen/quittance/command/v1/ledger_command_service_pb.js';
import {
  CommandSchema,
  TransactionCommandService,
} from '../../gen/quittance/command/v1/transaction_command_service_pb.js';
import { TransactionStatus } from '../../gen/quittance/common/v1/transaction_pb.js';
import { grpcClient } from '../../tools/client/grpc-client.js';
import { FUNDS, ledgerOfRun, type Payment, type Peer, portions } from './peer.js';

const { executeBatch, submitPayment } = TransactionCommandService.method;
const PER_CALL = 1_000;
const DEADLINE_MS = 60_000;

type CommandInit = NonNullable<MessageInitShape<typeof CommandSchema>['command']>;

export function quittance(address: string): Peer {
  const client = grpcClient(address);
  const ledgerId = ledgerOfRun();
  const accountId = (n: number) => `account-${String(n)}`;
  const paymentOf = ({ payer, payee }: Payment) => ({
    ledgerId,
    requestId: randomUUID(),
    payerAccountId: accountId(payer),
    payeeAccountId: accountId(payee),
    amount: { currency: 'EUR', minorUnits: 1n },
  });
  const execute = async (inits: readonly CommandInit[]) => {
    const commands = inits.map((command) => create(CommandSchema, { command }));
    const { results } = await client.unary(executeBatch, { ledgerId, commands }, DEADLINE_MS);
    const failed = results.find(({ result }) => result.case === 'error');
    if (failed?.result.case === 'error') throw new Error(failed.result.value.message);
  };
  return {
    name: 'Quittance',
    note: 'gRPC; every view live',
    prepare: async (accounts) => {
      await client.unary(LedgerCommandService.method.createLedger, { ledgerId, requestId: randomUUID() });
      const own = (n: number) => ({ ledgerId, requestId: randomUUID(), accountId: accountId(n) });
      const amount = { currency: 'EUR', minorUnits: BigInt(FUNDS) };
      for (const numbers of portions(accounts, PER_CALL)) {
        await execute(
          numbers.map((n) => ({ case: 'openAccount', value: { ...own(n), currency: 'EUR' } }) as const),
        );
        await execute(numbers.map((n) => ({ case: 'deposit', value: { ...own(n), amount } }) as const));
      }
    },
    pay: async (payment) => {
      const { transaction } = await client.unary(submitPayment, paymentOf(payment), DEADLINE_MS);
      if (transaction?.status !== TransactionStatus.POSTED) throw new Error('the payment is not posted');
    },
    payMany: (payments) =>
      execute(payments.map((payment) => ({ case: 'submitPayment', value: paymentOf(payment) }) as const)),
    close: () => {
      client.close();
      return Promise.resolve();
    },
  };
}
