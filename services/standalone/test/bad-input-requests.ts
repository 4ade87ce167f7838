/** Requests in JSON to make wrong, and fields in binary. */
import { Buffer } from 'node:buffer';
import { randomUUID } from 'node:crypto';
import type { JsonObject } from '@bufbuild/protobuf';
import type { Wire } from './raw-client.js';

export const LEDGER = 'bad-input';

export const JSON_ONLY: readonly Wire[] = ['connect json'];
export const CONNECT: readonly Wire[] = ['connect json', 'connect proto'];
export const BINARY: readonly Wire[] = ['grpc', 'connect proto'];

export const eur = (minorUnits: string | number): JsonObject => ({ currency: 'EUR', minorUnits });
export const aDeposit = (change: JsonObject = {}): JsonObject => ({
  ledgerId: LEDGER,
  requestId: randomUUID(),
  accountId: 'bob',
  amount: eur('5'),
  ...change,
});
export const aPayment = (change: JsonObject = {}): JsonObject => ({
  ledgerId: LEDGER,
  requestId: randomUUID(),
  payerAccountId: 'alice',
  payeeAccountId: 'bob',
  amount: eur('5'),
  ...change,
});
export const anAccount = (change: JsonObject = {}): JsonObject => ({
  ledgerId: LEDGER,
  requestId: randomUUID(),
  accountId: `new-${randomUUID()}`,
  currency: 'EUR',
  ...change,
});
export const aJournal = (entries: [string, string, JsonObject][], change: JsonObject = {}): JsonObject => ({
  ledgerId: LEDGER,
  requestId: randomUUID(),
  entries: entries.map(([accountId, direction, amount]) => ({
    accountId,
    direction: `DIRECTION_${direction}`,
    amount,
  })),
  ...change,
});

/** A field of length-delimited bytes, or a varint. */
export function field(number: number, value: Uint8Array | number): Buffer {
  const isVarint = typeof value === 'number';
  const tag = varint(number * 8 + (isVarint ? 0 : 2));
  return isVarint ? Buffer.concat([tag, varint(value)]) : Buffer.concat([tag, varint(value.length), value]);
}

export function varint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value;
  while (rest > 127) {
    bytes.push((rest % 128) + 128);
    rest = Math.floor(rest / 128);
  }
  return Buffer.from([...bytes, rest]);
}
