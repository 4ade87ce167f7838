/** Fees as they are typed: `payer:fees=0.50`, that is who pays, the account that gets it, the amount. */
import type { MessageInitShape } from '@bufbuild/protobuf';
import { InvalidArgumentError } from 'commander';
import type { FeeSchema } from '../../../gen/quittance/command/v1/transaction_command_service_pb.js';
import { FeePayer } from '../../../gen/quittance/common/v1/transaction_pb.js';
import { UsageError } from '../../../lib/process/command-line.js';
import { readAmount } from '../amounts.js';
import { repeated } from '../flags.js';
import { type Amount, currencyIn } from '../money.js';
import type { Session } from '../session.js';

/** A fee whose amount may lack the currency: it is the payment's. */
interface TypedFee {
  readonly paidBy: FeePayer;
  readonly toAccountId: string;
  readonly amount: string;
}

export const FEE_FLAG = {
  fee: repeated(
    'fee',
    'a fee, such as payer:fees=0.50 or payee:fees=0.50 (who pays it, to which account)',
    readFee,
  ),
};

/** @throws InvalidArgumentError */
function readFee(typed: string): TypedFee {
  const [, who = '', toAccountId = '', amount = ''] = /^(payer|payee):([^=]+)=(.+)$/.exec(typed) ?? [];
  if (who === '') throw new InvalidArgumentError('It is payer:ACCOUNT=AMOUNT or payee:ACCOUNT=AMOUNT.');
  return { paidBy: who === 'payer' ? FeePayer.PAYER : FeePayer.PAYEE, toAccountId, amount };
}

/** The fees of a payment of this currency. @throws UsageError on another one */
export async function feesOf(
  session: Session,
  fees: readonly TypedFee[] | undefined,
  { currency }: Amount,
): Promise<MessageInitShape<typeof FeeSchema>[]> {
  const read: MessageInitShape<typeof FeeSchema>[] = [];
  for (const { paidBy, toAccountId, amount: typed } of fees ?? []) {
    const amount = await readAmount(session, typed, currencyIn(typed) ?? currency);
    if (amount.currency !== currency)
      throw new UsageError(`the fee is in ${amount.currency} and the payment in ${currency}`);
    read.push({ paidBy, toAccountId, amount });
  }
  return read;
}
