import { expect, test } from '@jest/globals';
import { movementCommand, movementRequestId, openAccountCommand, openingBalanceCommand } from './commands.js';
import type { Movement } from './movement.js';

const TARGET = { ledgerId: 'bank', withCounterparty: false, withDescription: false };

function movement(changes: Partial<Movement> = {}): Movement {
  return {
    line: 2,
    movementId: '171812',
    identity: [],
    reference: '',
    accountId: '576',
    currency: 'CZK',
    bookedOn: 725_846_400_000_000n,
    kind: 'transfer_in',
    purpose: 'pension',
    amount: 90_000n,
    balanceBefore: undefined,
    balanceAfter: 90_000n,
    counterparty: 'AB 123',
    description: 'For May',
    ...changes,
  };
}

test('above zero is a deposit, below zero a withdrawal of the same size, whatever the kind', () => {
  expect(movementCommand(TARGET, movement())?.command).toMatchObject({
    case: 'deposit',
    value: {
      accountId: '576',
      amount: { currency: 'CZK', minorUnits: 90_000n },
      effectiveTime: { seconds: 725_846_400n },
      reference: '171812',
      metadata: { kind: 'transfer_in', purpose: 'pension' },
    },
  });
  expect(movementCommand(TARGET, movement({ amount: -5n }))?.command).toMatchObject({
    case: 'withdraw',
    value: { amount: { minorUnits: 5n } },
  });
  expect(movementCommand(TARGET, movement({ amount: 0n }))).toBeUndefined();
});

test('the counterparty is kept only on request, and empty columns never', () => {
  const metadata = (withCounterparty: boolean, changes: Partial<Movement>) => {
    const { command } = movementCommand({ ...TARGET, withCounterparty }, movement(changes)) ?? {};
    return command?.case === 'deposit' ? command.value.metadata : undefined;
  };
  expect(metadata(false, {})).toEqual({ kind: 'transfer_in', purpose: 'pension' });
  expect(metadata(true, {})).toEqual({ kind: 'transfer_in', purpose: 'pension', counterparty: 'AB 123' });
  expect(metadata(true, { kind: '', purpose: '', counterparty: '' })).toEqual({});
});

test('the description is kept only on request, and a reference of the bank before the id', () => {
  const value = (withDescription: boolean, changes: Partial<Movement>) =>
    movementCommand({ ...TARGET, withDescription }, movement(changes))?.command.value;
  expect(value(false, {})).toMatchObject({ description: '', reference: '171812' });
  expect(value(true, { reference: 'B1' })).toMatchObject({ description: 'For May', reference: 'B1' });
});

test('a request id follows from ledger and movement alone, and is never to change', () => {
  const id = (ledgerId: string, movementId: string) =>
    movementCommand({ ...TARGET, ledgerId }, movement({ movementId }))?.command.value?.requestId;
  expect(id('bank', '171812')).toBe('3b362176-59a7-555b-b4b7-431a2be8c433');
  expect(new Set([id('bank', '171812'), id('bank', '171813'), id('other', '171812')]).size).toBe(3);
});

test('a later attempt after a decline has an id of its own, which is never to change either', () => {
  expect(movementRequestId('bank', '171812', 1)).toBe('3b362176-59a7-555b-b4b7-431a2be8c433');
  expect(movementRequestId('bank', '171812', 2)).toBe('fe842aad-6f30-549a-935a-ab13acad8ad0');
  const ids = [
    ...[1, 2, 3].map((attempt) => movementRequestId('bank', '171812', attempt)),
    movementRequestId('bank', '2/171812'),
  ];
  expect(new Set(ids).size).toBe(4);
});

test('an account is opened with the limit that it needs, and no movement id clashes with its opening', () => {
  const account = { accountId: '576', currency: 'CZK', overdraftLimit: 250n };
  const opened = openAccountCommand(TARGET, account).command.value;
  expect(opened).toMatchObject({ accountId: '576', currency: 'CZK', overdraftLimit: 250n });
  const clash = movementCommand(TARGET, movement({ movementId: 'account/576' }))?.command.value?.requestId;
  expect(clash).not.toBe(opened?.requestId);
});

test('an opening balance below zero is a withdrawal', () => {
  const opening = { accountId: '576', currency: 'CZK', day: 0n };
  expect(openingBalanceCommand(TARGET, { ...opening, balance: -5n }).command).toMatchObject({
    case: 'withdraw',
    value: { amount: { minorUnits: 5n }, metadata: { kind: 'opening_balance' } },
  });
});
