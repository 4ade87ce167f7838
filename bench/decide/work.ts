/** The commands of the workloads: a hundred of each kind, with what must have happened before. */
import { randomUUID } from 'node:crypto';
import type { MessageInitShape } from '@bufbuild/protobuf';
import { FreezeScope } from '../../gen/quittance/common/v1/account_pb.js';
import { Direction, FeePayer } from '../../gen/quittance/common/v1/transaction_pb.js';
import type { CommandSchema } from '../../gen/quittance/command/v1/transaction_command_service_pb.js';

export type CommandInit = Exclude<
  NonNullable<MessageInitShape<typeof CommandSchema>['command']>,
  { case: undefined }
>;

export const LEDGER = 'main';
export const ACCOUNTS = 2_000;
const CURRENCY = 'EUR';

/** A workload: commands in rounds, of which the last is measured and those before make what it works on. */
export interface Workload {
  readonly name: string;
  rounds(count: number): readonly (readonly CommandInit[])[];
}

export function accountId(index: number): string {
  return `account-${String(index % ACCOUNTS).padStart(6, '0')}`;
}

const common = () => ({ ledgerId: LEDGER, requestId: randomUUID() });
const euros = (minorUnits: bigint) => ({ currency: CURRENCY, minorUnits });
const anyAccount = () => accountId(Math.floor(Math.random() * ACCOUNTS));

function parties() {
  const payer = Math.floor(Math.random() * ACCOUNTS);
  const payee = payer + 1 + Math.floor(Math.random() * (ACCOUNTS - 1));
  return { payerAccountId: accountId(payer), payeeAccountId: accountId(payee) };
}

export const openAccount = (id: string = randomUUID()): CommandInit => ({
  case: 'openAccount',
  value: { ...common(), accountId: id, currency: CURRENCY },
});
export const deposit = (id = anyAccount(), minorUnits = 100n): CommandInit => ({
  case: 'deposit',
  value: { ...common(), accountId: id, amount: euros(minorUnits) },
});
export const payment = (): CommandInit & { case: 'submitPayment' } => ({
  case: 'submitPayment',
  value: { ...common(), ...parties(), amount: euros(1n), reference: 'order 4711' },
});
const richPayment = (): CommandInit => ({
  case: 'submitPayment',
  value: {
    ...common(),
    ...parties(),
    amount: euros(100n),
    fees: [{ paidBy: FeePayer.PAYEE, toAccountId: '@settlement:EUR', amount: euros(3n) }],
    reference: 'order 4711',
    description: 'Café au lait, two croissants',
    metadata: { channel: 'web', basket: '9f2c', shop: 'Zürich' },
  },
});
const authorization = (): CommandInit & { case: 'authorizePayment' } => ({
  case: 'authorizePayment',
  value: { ...common(), ...parties(), amount: euros(10n) },
});
const requestIdOf = (command: CommandInit): string => command.value.requestId ?? '';
const journal = (): CommandInit => {
  const first = Math.floor(Math.random() * ACCOUNTS);
  const entry = (offset: number, direction: Direction) => ({
    accountId: accountId(first + offset),
    direction,
    amount: euros(5n),
  });
  const { DEBIT, CREDIT } = Direction;
  const entries = [entry(0, DEBIT), entry(1, CREDIT), entry(2, DEBIT), entry(3, CREDIT)];
  return { case: 'postTransaction', value: { ...common(), entries } };
};

/** A workload whose commands need nothing before them. */
const plain = (name: string, make: (index: number) => CommandInit): Workload => ({
  name,
  rounds: (count) => [Array.from({ length: count }, (_, index) => make(index))],
});

/** A workload whose commands follow from one command each. */
const following = (
  name: string,
  before: () => CommandInit,
  make: (requestId: string) => CommandInit,
): Workload => ({
  name,
  rounds: (count) => {
    const first = Array.from({ length: count }, before);
    return [first, first.map((command) => make(requestIdOf(command)))];
  },
});

/** A workload whose commands change an account each that nothing else touches. */
const onNewAccount = (name: string, make: (accountId: string) => CommandInit): Workload => ({
  name,
  rounds: (count) => {
    const ids = Array.from({ length: count }, () => randomUUID());
    return [ids.map((id) => openAccount(id)), ids.map(make)];
  },
});

const annotation = { paths: ['description'] };

export const WORKLOADS: readonly Workload[] = [
  plain('SubmitPayment', payment),
  plain('SubmitPayment, fee and metadata', richPayment),
  plain('Deposit', () => deposit()),
  plain('Withdraw', () => ({
    case: 'withdraw',
    value: { ...common(), accountId: anyAccount(), amount: euros(1n) },
  })),
  plain('AuthorizePayment', authorization),
  following('CapturePayment', authorization, (paymentId) => ({
    case: 'capturePayment',
    value: { ...common(), paymentId, amount: euros(10n), final: true },
  })),
  following('VoidPayment', authorization, (paymentId) => ({
    case: 'voidPayment',
    value: { ...common(), paymentId },
  })),
  following('RefundPayment', payment, (paymentId) => ({
    case: 'refundPayment',
    value: { ...common(), paymentId, amount: euros(1n) },
  })),
  plain('PostTransaction, 4 entries', journal),
  following('ReverseTransaction', journal, (transactionId) => ({
    case: 'reverseTransaction',
    value: { ...common(), transactionId, force: true },
  })),
  following('UpdateTransaction', payment, (transactionId) => ({
    case: 'updateTransaction',
    value: { ...common(), transactionId, updateMask: annotation, description: 'noted' },
  })),
  plain('OpenAccount', () => openAccount()),
  onNewAccount('FreezeAccount', (accountId) => ({
    case: 'freezeAccount',
    value: { ...common(), accountId, scope: FreezeScope.DEBITS },
  })),
  onNewAccount('CloseAccount', (accountId) => ({ case: 'closeAccount', value: { ...common(), accountId } })),
  plain('UpdateAccount', () => ({
    case: 'updateAccount',
    value: { ...common(), accountId: anyAccount(), updateMask: { paths: ['name'] }, name: 'Alice' },
  })),
];
