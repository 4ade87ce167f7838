import { expect, test } from '@jest/globals';
import { movementCommand, openAccountCommand } from './commands.js';
import type { Movement } from './movements.js';

const TARGET = { ledgerId: 'bank', currency: 'CZK', withCounterparty: false };

function movement(changes: Partial<Movement> = {}): Movement {
  return {
    line: 2,
    movementId: '171812',
    accountId: '576',
    bookedOn: 725_846_400_000_000n,
    kind: 'transfer_in',
    purpose: 'pension',
    amount: 90_000n,
    balanceAfter: 90_000n,
    counterparty: 'AB 123',
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

test('a request id follows from ledger and movement alone, and is never to change', () => {
  const id = (ledgerId: string, movementId: string) =>
    movementCommand({ ...TARGET, ledgerId }, movement({ movementId }))?.command.value?.requestId;
  expect(id('bank', '171812')).toBe('3b362176-59a7-555b-b4b7-431a2be8c433');
  expect(new Set([id('bank', '171812'), id('bank', '171813'), id('other', '171812')]).size).toBe(3);
});

test('an account may go as low as the file shows, and no movement id clashes with its opening', () => {
  const opened = openAccountCommand(TARGET, { accountId: '576', lowestBalance: -250n }).command.value;
  expect(opened).toMatchObject({ accountId: '576', currency: 'CZK', overdraftLimit: 250n });
  expect(openAccountCommand(TARGET, { accountId: '576', lowestBalance: 3n }).command.value).toMatchObject({
    overdraftLimit: 0n,
  });
  const clash = movementCommand(TARGET, movement({ movementId: 'account/576' }))?.command.value?.requestId;
  expect(clash).not.toBe(opened?.requestId);
});
