import {
  create,
  type DescField,
  type DescMessage,
  type Message,
  ScalarType,
  toJson,
} from '@bufbuild/protobuf';
import { TimestampSchema } from '@bufbuild/protobuf/wkt';
import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { MoneySchema } from '../../../gen/quittance/common/v1/money_pb.js';
import { LedgerSchema, TransactionSchema } from '../../../gen/quittance/common/v1/transaction_pb.js';
import { AccountProfileSchema, EventSchema } from '../../../gen/quittance/event/v1/event_pb.js';
import { canonicalJson } from './canonical-json.js';

/** The same by the library. */
function expected(schema: DescMessage, message: Message): string {
  return JSON.stringify(toJson(schema, message), (_key, value: unknown) =>
    typeof value === 'object' && value !== null && !Array.isArray(value)
      ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
      : value,
  );
}

const text = fc.string({ unit: 'binary', maxLength: 8 }).map((value) => value.toWellFormed());

function scalar(type: ScalarType): fc.Arbitrary<unknown> {
  switch (type) {
    case ScalarType.STRING:
      return text;
    case ScalarType.BOOL:
      return fc.boolean();
    case ScalarType.INT32:
      return fc.oneof(fc.constant(0), fc.integer());
    case ScalarType.UINT32:
      return fc.nat();
    default:
      return fc.oneof(fc.constant(0n), fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }));
  }
}

const timestamp = fc
  .record({
    seconds: fc.bigInt({ min: -62_135_596_800n, max: 253_402_300_799n }),
    nanos: fc.constantFrom(0, 1, 1_000, 1_000_000, 500_000_000, 123_456_000, 999_999_999),
  })
  .map((value) => create(TimestampSchema, value));

function valueOf(kind: 'scalar' | 'enum' | 'message', field: DescField): fc.Arbitrary<unknown> {
  if (kind === 'scalar' && field.scalar !== undefined) return scalar(field.scalar);
  if (kind === 'enum' && field.enum !== undefined) {
    return fc.constantFrom(...field.enum.values.map(({ number }) => number), 99);
  }
  if (field.message === undefined) throw new Error('the field is of a message');
  return field.message.typeName === TimestampSchema.typeName ? timestamp : messageOf(field.message);
}

function fieldOf(field: DescField): fc.Arbitrary<unknown> {
  switch (field.fieldKind) {
    case 'list':
      return fc.array(valueOf(field.listKind, field), { maxLength: 3 });
    case 'map':
      return fc.dictionary(fc.oneof(text, fc.constantFrom('10', '9', 'a')), text, { maxKeys: 4 });
    default:
      return valueOf(field.fieldKind, field);
  }
}

function messageOf(schema: DescMessage): fc.Arbitrary<Message> {
  const fields = schema.fields.map((field) => [field.localName, fieldOf(field)] as const);
  return fc
    .record(Object.fromEntries(fields), { requiredKeys: [] })
    .map((init: Record<string, unknown>) => Object.assign(create(schema), init));
}

test.each([TransactionSchema, LedgerSchema, AccountProfileSchema])(
  'a %s reads as the library has it, with sorted keys',
  (schema) => {
    fc.assert(
      fc.property(messageOf(schema), (message) => {
        expect(canonicalJson(schema, message as never)).toBe(expected(schema, message));
      }),
      { numRuns: 300 },
    );
  },
);

test('an amount of nothing has no number, and money without exponent no exponent', () => {
  expect(canonicalJson(MoneySchema, create(MoneySchema, { currency: 'EUR' }))).toBe('{"currency":"EUR"}');
  const yen = create(MoneySchema, { currency: 'JPY', minorUnits: -1n, exponent: 0 });
  expect(canonicalJson(MoneySchema, yen)).toBe('{"currency":"JPY","exponent":0,"minorUnits":"-1"}');
});

test('a type with bytes has no canonical form', () => {
  expect(() => canonicalJson(EventSchema, create(EventSchema))).toThrow('has no canonical form');
});
