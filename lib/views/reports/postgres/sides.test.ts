/** Sums are exact, however large the amounts. */
import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { create } from '@bufbuild/protobuf';
import { Direction } from '../../../../gen/quittance/common/v1/transaction_pb.js';
import { EventSchema, TransactionPostedSchema } from '../../../../gen/quittance/event/v1/event_pb.js';
import { PackBuilder, PackCursor } from './pack.js';
import { Sides } from './sides.js';

const MOST = 2n ** 63n - 1n;

/** A pack with one posting that moves these amounts; below zero a debit. */
function packOf(amounts: readonly bigint[]): PackCursor {
  const accounts = [{ accountId: 'a', currency: 'EUR' }];
  const entries = amounts.map((amount) => ({
    account: 0,
    direction: amount < 0n ? Direction.DEBIT : Direction.CREDIT,
    amount: amount < 0n ? -amount : amount,
  }));
  const pack = new PackBuilder({ bucket: 0, run: 0 });
  pack.addPosting(create(EventSchema), create(TransactionPostedSchema, { accounts, entries }), 1, [7], 0);
  const cursor = new PackCursor(pack.bytes());
  cursor.next();
  return cursor;
}

test('debits and credits are the sums of the amounts', () => {
  const near = [2n ** 32n, 2n ** 51n, 2n ** 52n, 2n ** 53n, MOST].flatMap((edge) =>
    [-1n, 0n, 1n].map((step) => edge + step),
  );
  const amount = fc
    .oneof(fc.bigInt(1n, 1_000n), fc.bigInt(1n, MOST), fc.constantFrom(...near))
    .map((value) => (value > MOST ? MOST : value));
  const signed = fc.tuple(amount, fc.boolean()).map(([value, isDebit]) => (isDebit ? -value : value));
  fc.assert(
    fc.property(fc.array(signed, { minLength: 1, maxLength: 40 }), (amounts) => {
      const cursor = packOf(amounts);
      const sides = new Sides();
      for (const [index, value] of amounts.entries()) {
        expect(cursor.amount(index)).toBe(value);
        sides.add(cursor, index);
      }
      const sum = (values: readonly bigint[]) => values.reduce((total, value) => total + value, 0n);
      expect(sides.debits).toBe(-sum(amounts.filter((value) => value < 0n)));
      expect(sides.credits).toBe(sum(amounts.filter((value) => value > 0n)));
      expect(sides.entries).toBe(amounts.length);
    }),
    { seed: 6, numRuns: 300 },
  );
});
