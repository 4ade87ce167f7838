/** What the rows of a file become: commands whose request ids follow from the ledger and the row alone. */
import { create } from '@bufbuild/protobuf';
import { v5 as uuidV5 } from 'uuid';
import {
  type Command,
  CommandSchema,
} from '../../gen/quittance/command/v1/transaction_command_service_pb.js';
import { timestampOf } from '../../lib/base/time.js';
import type { Movement } from './movements.js';

/** Random UUIDs, made once: the roots of the ledgers' namespaces. Changing one would book every file again. */
const MOVEMENTS = '6f1a3f0e-5d0b-4c57-9a3c-0d2f8f3f7b11';
/** What is not a movement has ids of its own, whatever the file calls its movements. */
const PREPARATIONS = 'c4b9c6b2-51b8-4e0e-8f0e-2b1d9a7d3e62';

/** Which ledger, and what of the rows to keep. */
export interface ImportTarget {
  readonly ledgerId: string;
  readonly currency: string;
  readonly withCounterparty: boolean;
}

/** An account to open. */
export interface AccountToOpen {
  readonly accountId: string;
  /** The lowest balance that the file prints for it, in minor units. */
  readonly lowestBalance: bigint;
}

/** The UUIDv5 of a movement within a ledger: the same file into the same ledger gives the same ids, for ever. */
export function movementRequestId(ledgerId: string, movementId: string): string {
  return uuidV5(movementId, uuidV5(ledgerId, MOVEMENTS));
}

function preparationRequestId(ledgerId: string, name: string): string {
  return uuidV5(name, uuidV5(ledgerId, PREPARATIONS));
}

/** Makes the ledger. An existing one answers LEDGER_ALREADY_EXISTS, which is as good. */
export function createLedgerCommand({ ledgerId }: ImportTarget): Command {
  const requestId = preparationRequestId(ledgerId, 'ledger');
  return create(CommandSchema, { command: { case: 'createLedger', value: { ledgerId, requestId } } });
}

/** Opens an account that may go as low as the file shows. */
export function openAccountCommand(
  { ledgerId, currency }: ImportTarget,
  { accountId, lowestBalance }: AccountToOpen,
): Command {
  const overdraftLimit = lowestBalance < 0n ? -lowestBalance : 0n;
  const requestId = preparationRequestId(ledgerId, `account/${accountId}`);
  return create(CommandSchema, {
    command: { case: 'openAccount', value: { ledgerId, requestId, accountId, currency, overdraftLimit } },
  });
}

/** Deposit above zero, Withdraw below, whatever the kind; undefined for zero, which moves nothing. */
export function movementCommand(target: ImportTarget, movement: Movement): Command | undefined {
  const { amount, accountId } = movement;
  if (amount === 0n) return undefined;
  const { ledgerId, currency } = target;
  const value = {
    ledgerId,
    requestId: movementRequestId(ledgerId, movement.movementId),
    accountId,
    amount: { currency, minorUnits: amount < 0n ? -amount : amount },
    reference: movement.movementId,
    metadata: metadataOf(target, movement),
    effectiveTime: timestampOf(movement.bookedOn),
  };
  return create(CommandSchema, { command: { case: amount > 0n ? 'deposit' : 'withdraw', value } });
}

function metadataOf(target: ImportTarget, { kind, purpose, counterparty }: Movement): Record<string, string> {
  return {
    ...(kind === '' ? {} : { kind }),
    ...(purpose === '' ? {} : { purpose }),
    ...(target.withCounterparty && counterparty !== '' ? { counterparty } : {}),
  };
}
