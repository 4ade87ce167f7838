import { readdirSync } from 'node:fs';
import {
  create,
  type DescField,
  type DescFile,
  type DescMessage,
  getOption,
  type Message,
  ScalarType,
} from '@bufbuild/protobuf';
import { createValidator } from '@bufbuild/protovalidate';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { field as fieldOption } from '../../gen/buf/validate/validate_pb.js';
import {
  CommandSchema,
  DepositRequestSchema,
  SubmitPaymentRequestSchema,
  UpdateTransactionRequestSchema,
} from '../../gen/quittance/command/v1/transaction_command_service_pb.js';
import { compileRules, type Passes } from './compiled-rules.js';
import { checkMessage } from './validation.js';

const RUNS = 150;
const expressionOf = (pattern: string) => new RegExp(pattern, 'u');
const library = createValidator({ regexMatch: (pattern, against) => expressionOf(pattern).test(against) });

type Fields = Record<string, unknown>;

/** The requests of all services. */
const requests: DescMessage[] = [];
const GEN = new URL('../../gen/quittance', import.meta.url);
for (const path of readdirSync(GEN, { recursive: true, encoding: 'utf8' }).sort()) {
  if (!path.endsWith('_service_pb.ts')) continue;
  const module = (await import(`../../gen/quittance/${path.replace(/ts$/, 'js')}`)) as Fields;
  for (const value of Object.values(module)) {
    const desc = value as Partial<DescFile> | null;
    if (desc?.kind !== 'file') continue;
    for (const { methods } of (desc as DescFile).services)
      requests.push(...methods.map(({ input }) => input));
  }
}

function compiled(schema: DescMessage, refusesUnknown = true): Passes {
  const passes = compileRules(schema, refusesUnknown, expressionOf);
  if (passes === undefined) throw new Error(`${schema.typeName} is not compiled`);
  return passes;
}

function isRight(schema: DescMessage, message: Message): boolean {
  return library.validate(schema, message).kind === 'valid' && !hasUnknown(message);
}

function hasUnknown(value: unknown): boolean {
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value)) return false;
  return '$unknown' in value || Object.values(value).some(hasUnknown);
}

/** A text that matches a pattern, by pattern. */
const SAMPLES: readonly string[] = [
  '01890a5d-ac96-774b-bcce-b302099a8057',
  'alice',
  '@settlement:EUR',
  'EUR',
  'balances',
  `whsec_${'A'.repeat(43)}=`,
];
const WRONG = [
  '',
  'é',
  '\ud800',
  ' x',
  '01890A5D',
  'a'.repeat(129),
  'a'.repeat(501),
  'a'.repeat(4097),
  'eur',
  '\n',
];

function textOf(field: DescField): fc.Arbitrary<string> {
  const { type } = getOption(field, fieldOption);
  const pattern = type.case === 'string' ? type.value.pattern : '';
  const right = SAMPLES.filter((sample) => expressionOf(pattern).test(sample));
  return fc.oneof(
    { weight: 30, arbitrary: fc.constantFrom(...right) },
    { weight: 1, arbitrary: fc.constantFrom(...WRONG, ...SAMPLES) },
  );
}

/** A number that the rule of a field allows, small where it allows small ones. */
function allowedInt32(field: DescField): fc.Arbitrary<number> {
  const { type } = getOption(field, fieldOption);
  const { greaterThan, lessThan } = type.case === 'int32' ? type.value : {};
  const least = greaterThan?.case === 'gte' ? greaterThan.value : 0;
  const most = lessThan?.case === 'lte' ? lessThan.value : 2 ** 31 - 1;
  return fc.integer({ min: least, max: Math.min(most, least + 100) });
}

function valueOf(field: DescField, depth: number): fc.Arbitrary<unknown> {
  if (field.message !== undefined) return messageOf(field.message, depth - 1, field);
  if (field.enum !== undefined) {
    const known = field.enum.values.map(({ number }) => number);
    return fc.oneof(
      { weight: 20, arbitrary: fc.constantFrom(...known) },
      { weight: 1, arbitrary: fc.constantFrom(-1, 99) },
    );
  }
  switch (field.scalar) {
    case ScalarType.BOOL:
      return fc.boolean();
    case ScalarType.INT32: {
      const edges = fc.constantFrom(-1, 0, 1000, 1001, 2 ** 31 - 1);
      return fc.oneof({ weight: 9, arbitrary: allowedInt32(field) }, { weight: 1, arbitrary: edges });
    }
    case ScalarType.INT64: {
      const edges = fc.constantFrom(-1n, 0n, 10n ** 18n - 1n, 10n ** 18n, 2n ** 63n - 1n, -(2n ** 63n));
      const usual = fc.bigInt({ min: 1n, max: 9999n });
      return fc.oneof({ weight: 12, arbitrary: usual }, { weight: 1, arbitrary: edges });
    }
    case ScalarType.STRING:
      return textOf(field);
    default:
      throw new Error(`a scalar that no request has: ${String(field.scalar)}`);
  }
}

function mapOf(): fc.Arbitrary<Record<string, string>> {
  const key = fc.oneof(
    { weight: 20, arbitrary: fc.constantFrom('a', 'b.c', 'k-1') },
    { weight: 1, arbitrary: fc.constantFrom('', 'A', 'x'.repeat(65)) },
  );
  const value = fc.oneof(
    { weight: 20, arbitrary: fc.string({ maxLength: 20 }) },
    { weight: 1, arbitrary: fc.constant('x'.repeat(501)) },
  );
  const many = Object.fromEntries(Array.from({ length: 33 }, (_, index) => [`k${String(index)}`, '']));
  return fc.oneof(
    { weight: 20, arbitrary: fc.dictionary(key, value, { maxKeys: 3, noNullPrototype: true }) },
    { weight: 1, arbitrary: fc.constant(many) },
  );
}

function memberOf(field: DescField, depth: number): fc.Arbitrary<unknown> {
  if (field.fieldKind === 'map') return mapOf();
  if (field.fieldKind === 'list') {
    const { type } = getOption(field, fieldOption);
    const least = type.case === 'repeated' ? Number(type.value.minItems) : 0;
    const few = fc.array(valueOf(field, depth), { minLength: least, maxLength: least + 3 });
    const many = fc.array(valueOf(field, depth), { minLength: 11, maxLength: 101 });
    return fc.oneof(
      { weight: 15, arbitrary: few },
      { weight: 1, arbitrary: fc.constant([]) },
      { weight: depth > 1 ? 1 : 0, arbitrary: many },
    );
  }
  return fc.option(valueOf(field, depth), { nil: undefined, freq: 12 });
}

/** Mostly right messages: a rule that is broken in each of them would hide the others. */
function messageOf(schema: DescMessage, depth: number, within?: DescField): fc.Arbitrary<Message> {
  if (schema.typeName === 'google.protobuf.FieldMask' && within !== undefined) {
    const { type } = getOption(within, fieldOption);
    const allowed = type.case === 'fieldMask' ? type.value.in : [];
    const path = fc.oneof(
      { weight: 15, arbitrary: fc.constantFrom(...allowed, 'x') },
      { weight: 1, arbitrary: fc.constantFrom('', 'ledger_id') },
    );
    return fc.array(path, { maxLength: 3 }).map((paths) => Object.assign(create(schema), { paths }));
  }
  if (schema.typeName === 'google.protobuf.Timestamp') {
    const seconds = fc.constantFrom(0n, 1n, -1n, 1_700_000_000n);
    return fc
      .record({ seconds, nanos: fc.constantFrom(0, 1, 1000) })
      .map((time) => Object.assign(create(schema), time));
  }
  const values: Record<string, fc.Arbitrary<unknown>> = {};
  for (const member of schema.members) {
    if (member.kind === 'oneof') {
      const cases = member.fields
        .filter(({ message }) => message === undefined || depth > 0)
        .map((field) => valueOf(field, depth).map((value) => ({ case: field.localName, value })));
      values[member.localName] = fc.oneof(
        { weight: 1, arbitrary: fc.constant({ case: undefined }) },
        ...cases.map((arbitrary) => ({ weight: 3, arbitrary })),
      );
    } else if (member.message === undefined || member.fieldKind === 'list' || depth > 0) {
      values[member.localName] = memberOf(member, depth);
    }
  }
  const strange = fc.constant([{ no: 1000, wireType: 0, data: Uint8Array.of(1) }]);
  const unknown = fc.oneof(
    { weight: 60, arbitrary: fc.constant(undefined) },
    { weight: 1, arbitrary: strange },
  );
  return fc.tuple(fc.record(values), unknown).map(([members, $unknown]) => {
    const message = create(schema);
    for (const [name, value] of Object.entries(members))
      if (value !== undefined) Object.assign(message, { [name]: value });
    if ($unknown !== undefined)
      message.$unknown = $unknown.map((each) => ({ ...each, wireType: 0 as const }));
    return message;
  });
}

describe('the rules of the contracts', () => {
  const commands = CommandSchema.fields.flatMap(({ message }) => (message === undefined ? [] : [message]));
  const schemas = [...new Set([...requests, ...commands])];

  test.each(schemas.map((schema) => [schema.typeName, schema] as const))(
    '%s: what passes is what protovalidate finds nothing in',
    (_name, schema) => {
      const passes = compiled(schema);
      let passed = 0;
      const property = fc.property(messageOf(schema, 3), (message) => {
        const isPassed = passes(message);
        expect([isPassed, message]).toEqual([isRight(schema, message), message]);
        if (isPassed) passed += 1;
      });
      fc.assert(property, { numRuns: RUNS });
      expect(passed).toBeGreaterThan(0);
    },
  );

  test('there are as many as the services have', () => {
    expect(schemas.length).toBeGreaterThan(40);
  });

  test('a type that contains itself is left to protovalidate', () => {
    const loop = { ...SubmitPaymentRequestSchema };
    loop.fields = SubmitPaymentRequestSchema.fields.map((field) =>
      field.fieldKind === 'message' ? { ...field, message: loop } : field,
    );
    expect(compileRules(loop, true, expressionOf)).toBeUndefined();
  });
});

describe('what does not pass is judged by protovalidate', () => {
  const deposit = () =>
    create(DepositRequestSchema, {
      ledgerId: 'main',
      requestId: '01890a5d-ac96-774b-bcce-b302099a8057',
      accountId: 'alice',
      amount: { currency: 'EUR', minorUnits: 1n },
    });

  test('a text of 500 characters, each of two code units', () => {
    const message = Object.assign(deposit(), { description: '😀'.repeat(500) });
    expect(compiled(DepositRequestSchema)(message)).toBe(false);
    expect(() => checkMessage(DepositRequestSchema, message)).not.toThrow();
  });

  test('a path below a field that a mask may name', () => {
    const message = create(UpdateTransactionRequestSchema, {
      ledgerId: 'main',
      requestId: '01890a5d-ac96-774b-bcce-b302099a8057',
      transactionId: '01890a5d-ac96-774b-bcce-b302099a8057',
      updateMask: { paths: ['metadata.a'] },
    });
    expect(compiled(UpdateTransactionRequestSchema)(message)).toBe(false);
    expect(() => checkMessage(UpdateTransactionRequestSchema, message)).not.toThrow();
  });

  test('unknown fields, of which a query may have some', () => {
    const message = deposit();
    message.$unknown = [{ no: 1000, wireType: 0, data: Uint8Array.of(1) }];
    expect(compiled(DepositRequestSchema, true)(message)).toBe(false);
    expect(compiled(DepositRequestSchema, false)(message)).toBe(true);
  });
});
