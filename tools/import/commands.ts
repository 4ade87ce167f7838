/** What the movements of a file become: commands whose request ids follow from the ledger and the movement alone. */
import { codeOf } from '../../lib/base/currency.js';
import { create } from '@bufbuild/protobuf';
import { v5 as uuidV5 } from 'uuid';
import {
  type Command,
  CommandSchema,
} from '../../gen/quittance/command/v1/transaction_command_service_pb.js';
import { timestampOf } from '../../lib/base/time.js';
import type { Movement } from './movement.js';

/** Random UUIDs, made once: the roots of the ledgers' namespaces. Changing one would book every file again. */
const MOVEMENTS = '6f1a3f0e-5d0b-4c57-9a3c-0d2f8f3f7b11';
/** What is not a movement has ids of its own, whatever the file calls its movements. */
const PREPARATIONS = 'c4b9c6b2-51b8-4e0e-8f0e-2b1d9a7d3e62';
/** Later attempts at movements that were declined. */
const ATTEMPTS = '0a9be4b4-8a57-4f0d-9d3d-6a5f7f2c1e90';

/** Which ledger, and what of the movements to keep. */
export interface ImportTarget {
  readonly ledgerId: string;
  readonly withCounterparty: boolean;
  readonly withDescription: boolean;
}

/** How a command is sent. */
interface Sending {
  /** Ask what it would come to, and store nothing. */
  readonly validateOnly?: boolean;
}

/**
 * The id of an attempt at a movement, a UUIDv5: the same movement in the same ledger has the same ids for ever. A decline is
 * stored under its id for ever, so what is tried again after a decline is the next attempt, from 1.
 */
export function movementRequestId(ledgerId: string, movementId: string, attempt = 1): string {
  if (attempt === 1) return uuidV5(movementId, uuidV5(ledgerId, MOVEMENTS));
  return uuidV5(`${attempt}/${movementId}`, uuidV5(ledgerId, ATTEMPTS));
}

function preparationRequestId(ledgerId: string, name: string): string {
  return uuidV5(name, uuidV5(ledgerId, PREPARATIONS));
}

/** Makes the ledger. An existing one answers LEDGER_ALREADY_EXISTS, which is as good. */
export function createLedgerCommand(
  { ledgerId }: ImportTarget,
  { validateOnly = false }: Sending = {},
): Command {
  const requestId = preparationRequestId(ledgerId, 'ledger');
  return create(CommandSchema, {
    command: { case: 'createLedger', value: { ledgerId, requestId, validateOnly } },
  });
}

/** An account to open. */
export interface AccountToOpen {
  readonly accountId: string;
  readonly currency: string;
  /** Minor units, zero or more. */
  readonly overdraftLimit: bigint;
}

/** Opens an account. An existing one answers ACCOUNT_ALREADY_EXISTS or REQUEST_ID_REUSED. */
export function openAccountCommand(
  { ledgerId }: ImportTarget,
  { accountId, currency, overdraftLimit }: AccountToOpen,
  { validateOnly = false }: Sending = {},
): Command {
  const requestId = preparationRequestId(ledgerId, `account/${accountId}`);
  return create(CommandSchema, {
    command: {
      case: 'openAccount',
      value: {
        ledgerId,
        requestId,
        validateOnly,
        accountId,
        currency: codeOf(currency),
        overdraftLimit,
      },
    },
  });
}

/** Asks for an account as it is now, at the door of the commands: what would it be if its name were emptied? */
export function readAccountCommand({ ledgerId }: ImportTarget, accountId: string): Command {
  const requestId = preparationRequestId(ledgerId, `read/${accountId}`);
  const updateMask = { paths: ['name'] };
  return create(CommandSchema, {
    command: {
      case: 'updateAccount',
      value: { ledgerId, requestId, validateOnly: true, accountId, updateMask },
    },
  });
}

/** Sets an overdraft limit, if the account is still at the version that the limit was judged by. */
export function setLimitCommand(
  { ledgerId }: ImportTarget,
  { accountId, overdraftLimit, version }: { accountId: string; overdraftLimit: bigint; version: bigint },
): Command {
  const requestId = preparationRequestId(
    ledgerId,
    `limit/${accountId}/${String(version)}/${String(overdraftLimit)}`,
  );
  const updateMask = { paths: ['overdraft_limit'] };
  return create(CommandSchema, {
    command: {
      case: 'updateAccount',
      value: { ledgerId, requestId, accountId, overdraftLimit, updateMask, expectedVersion: version },
    },
  });
}

/** Books the balance with which a file begins. There is one per account, for ever. */
export function openingBalanceCommand(
  { ledgerId }: ImportTarget,
  opening: { accountId: string; currency: string; balance: bigint; day: bigint },
): Command {
  const { accountId, currency, balance, day } = opening;
  const value = {
    ledgerId,
    requestId: preparationRequestId(ledgerId, `opening/${accountId}`),
    accountId,
    amount: { currency: codeOf(currency), minorUnits: balance < 0n ? -balance : balance },
    reference: 'opening balance',
    metadata: { kind: 'opening_balance' },
    effectiveTime: timestampOf(day),
  };
  return create(CommandSchema, { command: { case: balance > 0n ? 'deposit' : 'withdraw', value } });
}

/** Deposit above zero, Withdraw below, whatever the kind; undefined for zero, which moves nothing. */
export function movementCommand(
  target: ImportTarget,
  movement: Movement,
  { attempt = 1, validateOnly = false }: Sending & { readonly attempt?: number } = {},
): Command | undefined {
  const { amount, accountId, currency, movementId } = movement;
  if (amount === 0n) return undefined;
  const { ledgerId } = target;
  const value = {
    ledgerId,
    requestId: movementRequestId(ledgerId, movementId, attempt),
    validateOnly,
    accountId,
    amount: { currency: codeOf(currency), minorUnits: amount < 0n ? -amount : amount },
    reference: movement.reference === '' ? movementId : movement.reference,
    description: target.withDescription ? movement.description : '',
    metadata: metadataOf(target, movement),
    effectiveTime: timestampOf(movement.bookedOn),
  };
  return create(CommandSchema, { command: { case: amount > 0n ? 'deposit' : 'withdraw', value } });
}

function metadataOf(target: ImportTarget, { kind, purpose, counterparty }: Movement): Record<string, string> {
  const metadata: Record<string, string> = {};
  if (kind !== '') metadata['kind'] = kind;
  if (purpose !== '') metadata['purpose'] = purpose;
  if (target.withCounterparty && counterparty !== '') metadata['counterparty'] = counterparty;
  return metadata;
}
