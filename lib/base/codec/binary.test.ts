import { readdirSync } from 'node:fs';
import { isDeepStrictEqual } from 'node:util';
import {
  create,
  createFileRegistry,
  type DescField,
  type DescFile,
  type DescMessage,
  type DescOneof,
  fromBinary,
  type Message,
  ScalarType,
  toBinary,
} from '@bufbuild/protobuf';
import { BinaryWriter, WireType } from '@bufbuild/protobuf/wire';
import {
  FieldDescriptorProtoSchema,
  FileDescriptorProtoSchema,
  FloatValueSchema,
  StringValueSchema,
  StructSchema,
  ValueSchema,
} from '@bufbuild/protobuf/wkt';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { DepositRequestSchema } from '../../../gen/quittance/command/v1/transaction_command_service_pb.js';
import { MoneySchema } from '../../../gen/quittance/common/v1/money_pb.js';
import { AnnotationSchema, EventSchema } from '../../../gen/quittance/event/v1/event_pb.js';
import { FieldRulesSchema } from '../../../gen/buf/validate/validate_pb.js';
import { decodeMessage, encodeMessage } from './binary.js';
import { decodeCompiled } from './decode.js';
import { encodeCompiled } from './encode.js';

type Fields = Record<string, unknown>;

/** Of each message type; there are some hundred. */
const RUNS = 12;

const GEN = new URL('../../../gen', import.meta.url);

/** Every message type of a file, nested ones too. */
function messagesOf(parent: DescFile | DescMessage): DescMessage[] {
  const own = parent.kind === 'file' ? parent.messages : parent.nestedMessages;
  return own.flatMap((message) => [message, ...messagesOf(message)]);
}

const schemas: DescMessage[] = [];
for (const path of readdirSync(GEN, { recursive: true, encoding: 'utf8' }).sort()) {
  if (!/^(quittance|google|grpc)\/.*_pb\.ts$/.test(path)) continue;
  const module = (await import(`../../../gen/${path.replace(/ts$/, 'js')}`)) as Fields;
  for (const value of Object.values(module)) {
    const desc = value as Partial<DescFile> | null;
    if (desc?.kind === 'file') schemas.push(...messagesOf(desc as DescFile));
  }
}

/** What came of it: a value, or an error's name and message. */
function outcome(act: () => unknown): unknown {
  try {
    return { value: act() };
  } catch (error) {
    return { error: error instanceof Error ? `${error.name}: ${error.message}` : error };
  }
}

/** Whether two equal values have their keys in the same order. */
function sameOrder(a: unknown, b: unknown): boolean {
  if (typeof a !== 'object' || a === null || ArrayBuffer.isView(a)) return true;
  const left = Object.entries(a);
  const right = Object.entries(b as object);
  return left.every(([key, value], index) => key === right[index]?.[0] && sameOrder(value, right[index][1]));
}

function encodesLikeTheLibrary(schema: DescMessage, message: Message): void {
  const ours = outcome(() => new Uint8Array(encodeMessage(schema, message)));
  const theirs = outcome(() => toBinary(schema, message));
  if (!isDeepStrictEqual(ours, theirs)) expect(ours).toStrictEqual(theirs);
}

/** The order of the keys is the library's for what an encoder writes; for other input ours is that of the numbers. */
function decodesLikeTheLibrary(schema: DescMessage, bytes: Uint8Array, inOrder = false): void {
  const ours = outcome(() => decodeMessage(schema, bytes));
  const theirs = outcome(() => fromBinary(schema, bytes));
  if (!isDeepStrictEqual(ours, theirs)) expect(ours).toStrictEqual(theirs);
  if (inOrder) expect(sameOrder(ours, theirs)).toBe(true);
}

const text = fc.oneof(
  fc.string({ maxLength: 10 }),
  fc.string({ unit: 'binary', maxLength: 30 }),
  fc.string({ minLength: 15, maxLength: 25 }),
  fc.constantFrom('', 'é', '\ufeff', '\ufeffx', '\ufffd', '\0', '😀', '__proto__', 'constructor', '7'),
  fc.constantFrom(126, 127, 128, 129, 500, 16_383, 16_384).map((length) => 'x'.repeat(length)),
  fc.constantFrom(42, 43, 64, 127, 128, 5461, 5462).map((length) => '€'.repeat(length)),
  fc
    .array(fc.integer({ min: 0, max: 0xffff }), { maxLength: 5 })
    .map((units) => String.fromCharCode(...units)),
);
const int32 = fc.oneof(
  fc.integer(),
  fc.constantFrom(0, -0, 1, -1, 127, 128, 16_383, 16_384, 0x7fff_ffff, -0x8000_0000),
);
const uint32 = fc.oneof(fc.nat(), fc.constantFrom(0, 1, 127, 128, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff));
const int64 = fc.oneof(
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
  fc.integer().map(BigInt),
  fc
    .tuple(fc.integer({ min: 0, max: 63 }), fc.constantFrom(-2n, -1n, 0n, 1n, 2n), fc.boolean())
    .map(([bits, near, minus]) =>
      BigInt.asIntN(64, (minus ? -(1n << BigInt(bits)) : 1n << BigInt(bits)) + near),
    ),
);

function scalar(type: ScalarType): fc.Arbitrary<unknown> {
  switch (type) {
    case ScalarType.STRING:
      return text;
    case ScalarType.BYTES:
      return fc.oneof(
        fc.uint8Array({ maxLength: 40 }),
        fc.constantFrom(127, 128, 20_000).map((length) => new Uint8Array(length).fill(7)),
      );
    case ScalarType.BOOL:
      return fc.boolean();
    case ScalarType.INT32:
      return int32;
    case ScalarType.UINT32:
      return uint32;
    case ScalarType.INT64:
    case ScalarType.SINT64:
      return int64;
    default:
      throw new Error(`a scalar that no message of ours has: ${ScalarType[type]}`);
  }
}

function single(field: DescField, depth: number): fc.Arbitrary<unknown> {
  if (field.message !== undefined) return messageOf(field.message, depth - 1);
  if (field.enum !== undefined) {
    return fc.oneof(fc.constantFrom(...field.enum.values.map((value) => value.number)), int32);
  }
  return scalar(field.scalar);
}

function member(desc: DescField | DescOneof, depth: number): fc.Arbitrary<unknown> {
  if (desc.kind === 'oneof') {
    const cases = desc.fields
      .filter((field) => field.message === undefined || depth > 0)
      .map((field) => single(field, depth).map((value) => ({ case: field.localName, value })));
    return fc.oneof(fc.constant({ case: undefined }), ...cases);
  }
  if (desc.message !== undefined && depth <= 0) return fc.constant(undefined);
  const value = single(desc, depth);
  if (desc.fieldKind === 'list') return fc.array(value, { maxLength: 3 });
  // A message under the key __proto__ becomes the prototype, with the library too: no two of them are equal.
  const key = desc.message === undefined ? text : text.filter((name) => name !== '__proto__');
  if (desc.fieldKind === 'map') return fc.dictionary(key, value, { maxKeys: 3, noNullPrototype: true });
  return fc.option(value, { nil: undefined });
}

const unknownFields = fc.array(
  fc.record({
    no: fc.constantFrom(1000, 2047, 2048, 100_000, 0x1fff_ffff),
    wireType: fc.constantFrom(WireType.Varint, WireType.Bit32, WireType.Bit64, WireType.LengthDelimited),
    data: fc.uint8Array({ minLength: 8, maxLength: 8 }),
  }),
  { minLength: 1, maxLength: 2 },
);

/** The bytes that a wire type takes, from eight random ones. */
function unknownData(wireType: WireType, random: Uint8Array): Uint8Array {
  if (wireType === WireType.Bit64) return random;
  if (wireType === WireType.Bit32) return random.slice(0, 4);
  if (wireType === WireType.LengthDelimited) return Uint8Array.of(8, ...random);
  return random.map((byte, index) => (index < 7 ? byte | 0x80 : byte & 0x7f));
}

function messageOf(schema: DescMessage, depth: number): fc.Arbitrary<Message> {
  const members: Record<string, fc.Arbitrary<unknown>> = {};
  for (const desc of schema.members) members[desc.localName] = member(desc, depth);
  const unknown = fc.option(unknownFields, { nil: undefined, freq: 8 });
  return fc.tuple(fc.record(members), unknown).map(([values, fields]) => {
    const message = create(schema);
    for (const [name, value] of Object.entries(values)) {
      if (value !== undefined) (message as unknown as Fields)[name] = value;
    }
    const $unknown = fields?.map(({ no, wireType, data }) => ({
      no,
      wireType,
      data: unknownData(wireType, data),
    }));
    if ($unknown !== undefined) message.$unknown = $unknown;
    return message;
  });
}

describe('every message of ours', () => {
  test('there are as many as the contracts have', () => {
    expect(schemas.length).toBeGreaterThan(120);
  });

  test.each(schemas.map((schema) => [schema.typeName, schema] as const))('%s', (_name, schema) => {
    // Compiled: the library is never needed for what is well-formed.
    const property = fc.property(messageOf(schema, 3), (message) => {
      encodesLikeTheLibrary(schema, message);
      const bytes = toBinary(schema, message);
      expect(encodeCompiled(schema, message)?.equals(bytes)).toBe(true);
      decodesLikeTheLibrary(schema, bytes, true);
      decodesLikeTheLibrary(schema, Buffer.concat([Buffer.from([1]), bytes]).subarray(1));
      expect(decodeCompiled(schema, bytes)).toBeDefined();
    });
    fc.assert(property, { numRuns: RUNS });
  });

  test.each(schemas.map((schema) => [schema.typeName, schema] as const))('%s, damaged', (_name, schema) => {
    const damage = fc.record({ at: fc.nat(), bit: fc.nat({ max: 7 }), cut: fc.boolean() });
    const property = fc.property(
      messageOf(schema, 2),
      messageOf(schema, 1),
      fc.uint8Array({ maxLength: 60 }),
      fc.array(damage, { maxLength: 8 }),
      (message, other, random, damages) => {
        const bytes = toBinary(schema, message);
        decodesLikeTheLibrary(schema, random);
        // Concatenated messages merge.
        decodesLikeTheLibrary(schema, Buffer.concat([bytes, toBinary(schema, other)]));
        decodesLikeTheLibrary(schema, Buffer.concat([bytes, random]));
        for (const { at, bit, cut } of damages) {
          const index = at % (bytes.length + 1);
          const bad = cut ? bytes.slice(0, index) : bytes.slice();
          if (!cut && index < bad.length) bad[index] = (bad[index] ?? 0) ^ (1 << bit);
          decodesLikeTheLibrary(schema, bad);
        }
      },
    );
    fc.assert(property, { numRuns: RUNS });
  });
});

describe('values that are not what the types say', () => {
  const junk = [
    undefined,
    null,
    0,
    -0,
    1,
    -1,
    1.5,
    NaN,
    Infinity,
    2 ** 31,
    2 ** 32,
    2 ** 53,
    2 ** 63,
    -(2 ** 63),
    0n,
    1n,
    2n ** 63n - 1n,
    2n ** 63n,
    -(2n ** 63n) - 1n,
    2n ** 64n,
    '',
    '0',
    '5',
    'x',
    '\ud800',
    'a\udc00b',
    true,
    false,
    Symbol.iterator,
    () => 1,
    [],
    [undefined],
    [null],
    [1],
    ['x'],
    [{}],
    {},
    { a: 1 },
    { a: 'b' },
    { a: undefined },
    { case: 'nothing', value: 1 },
    { case: null },
    { case: 'amount' },
    new Uint8Array(),
    new Uint8Array(3),
    new Uint16Array(2),
    new Date(0),
    { $typeName: 'x.Y' },
    create(MoneySchema),
    new Map([['a', 'b']]),
  ];

  test.each(schemas.map((schema) => [schema.typeName, schema] as const))('%s', (_name, schema) => {
    for (const desc of schema.members) {
      const cases = desc.kind === 'oneof' ? desc.fields.map((field) => field.localName) : [];
      for (const value of junk) {
        const put = (wrong: unknown): void => {
          const message = create(schema);
          (message as unknown as Fields)[desc.localName] = wrong;
          encodesLikeTheLibrary(schema, message);
        };
        put(value);
        put([value]);
        put({ key: value });
        for (const name of cases) put({ case: name, value });
      }
      const lacking = create(schema) as unknown as Fields;
      Reflect.deleteProperty(lacking, desc.localName);
      encodesLikeTheLibrary(schema, lacking as unknown as Message);
    }
    for (const value of [...junk, { $typeName: schema.typeName }, { ...create(schema), $unknown: null }]) {
      encodesLikeTheLibrary(schema, value as unknown as Message);
      decodesLikeTheLibrary(schema, value as unknown as Uint8Array);
    }
  });

  test('unknown fields that are none', () => {
    const data = new Uint8Array(2);
    for (const no of [0, -1, 1, 1.5, 2 ** 29 - 1, 2 ** 29, 2 ** 32, NaN, '7', undefined]) {
      for (const wireType of [0, 2, 3, 4, 5, 6, 8, -1, 0.5, '0', undefined]) {
        const $unknown = [{ no, wireType, data }] as unknown as NonNullable<Message['$unknown']>;
        encodesLikeTheLibrary(MoneySchema, { ...create(MoneySchema), $unknown });
      }
    }
    for (const $unknown of [
      null,
      0,
      '',
      'x',
      {},
      [null],
      [{ no: 9, wireType: 0 }],
      [{ no: 9, wireType: 0, data: [1] }],
    ]) {
      encodesLikeTheLibrary(MoneySchema, { ...create(MoneySchema), $unknown } as unknown as Message);
    }
  });
});

describe('text', () => {
  test('lone surrogates become what the library makes of them', () => {
    const near = ['\ud800', '\udc00', 'a\ud83d', '\ude00b', '\ud83d\ud83d\ude00', '😀'];
    for (const part of near) {
      for (const length of [0, 1, 18, 19, 20, 21, 41, 42, 124, 125, 126, 127, 5000]) {
        for (const string of ['x'.repeat(length) + part, part + 'x'.repeat(length), part.repeat(length)]) {
          encodesLikeTheLibrary(AnnotationSchema, create(AnnotationSchema, { description: string }));
          encodesLikeTheLibrary(
            AnnotationSchema,
            create(AnnotationSchema, { metadata: { [string]: string } }),
          );
        }
      }
    }
  });

  test('what is no UTF-8 is refused as the library refuses it', () => {
    const bad = [
      [0x80],
      [0xc0, 0x80],
      [0xed, 0xa0, 0x80],
      [0xf4, 0x90, 0x80, 0x80],
      [0xe2, 0x82],
      [0xff],
      [0xc3],
    ];
    for (const bytes of [...bad, [0xef, 0xbb, 0xbf], [0xef, 0xbb, 0xbf, 0x61], [0xef, 0xbf, 0xbd]]) {
      for (const padding of [0, 4, 40]) {
        const string = Buffer.concat([Buffer.from(bytes), Buffer.alloc(padding, 'x')]);
        for (const value of [
          string,
          Buffer.from(string.toString('latin1').split('').reverse().join(''), 'latin1'),
        ]) {
          decodesLikeTheLibrary(AnnotationSchema, new BinaryWriter().tag(1, 2).bytes(value).finish());
        }
      }
    }
  });
});

describe('what is unusual on the wire', () => {
  const bytesOf = (...bytes: number[]): Uint8Array => Uint8Array.from(bytes);

  test.each([
    ['nothing', bytesOf()],
    ['a tag of five bytes with zeros', bytesOf(0x90, 0x80, 0x80, 0x80, 0x00, 0x05)],
    ['a tag of six bytes', bytesOf(0x90, 0x80, 0x80, 0x80, 0x80, 0x00, 0x05)],
    ['a tag beyond 32 bits', bytesOf(0x90, 0x80, 0x80, 0x80, 0x10, 0x05)],
    ['field number zero', bytesOf(0x00, 0x05)],
    ['a length beyond the end', bytesOf(0x0a, 0x05, 0x41)],
    ['a length of 4 GiB', bytesOf(0x0a, 0xff, 0xff, 0xff, 0xff, 0x0f, 0x41)],
    ['a varint of ten bytes', bytesOf(0x10, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01)],
    ['a varint of ten bytes, the last too large', bytesOf(0x10, ...Array<number>(9).fill(0xff), 0x7f)],
    ['a varint of eleven bytes', bytesOf(0x10, ...Array<number>(10).fill(0xff), 0x01)],
    ['an int32 of ten bytes', bytesOf(0x18, ...Array<number>(9).fill(0xff), 0x01)],
    ['an int32 that is too large', bytesOf(0x18, 0xff, 0xff, 0xff, 0xff, 0x7f)],
    ['an unknown group', bytesOf(0x53, 0x08, 0x01, 0x54)],
    ['an end of no group', bytesOf(0x54)],
    ['an unknown varint of eleven bytes', bytesOf(0x50, ...Array<number>(10).fill(0xff), 0x01)],
    ['the other wire type', bytesOf(0x12, 0x01)],
  ])('%s', (_name, bytes) => {
    decodesLikeTheLibrary(MoneySchema, bytes);
    decodesLikeTheLibrary(EventSchema, bytes);
    // As a field of another message, with more to read behind it.
    decodesLikeTheLibrary(
      DepositRequestSchema,
      new BinaryWriter().tag(5, 2).bytes(bytes).tag(3, 0).bool(true).finish(),
    );
    decodesLikeTheLibrary(AnnotationSchema, new BinaryWriter().tag(2, 2).bytes(bytes).finish());
    decodesLikeTheLibrary(MoneySchema, new BinaryWriter().tag(10, 2).bytes(bytes).finish());
  });

  test('entries of maps: keys only, values only, twice, backwards', () => {
    const key = new BinaryWriter().tag(1, 2).string('k').finish();
    const value = new BinaryWriter().tag(2, 2).string('v').finish();
    const other = new BinaryWriter().tag(3, 0).int32(1).finish();
    const wrong = new BinaryWriter().tag(2, 0).int32(1).finish();
    for (const parts of [
      [],
      [key],
      [value],
      [value, key],
      [key, key, value, value],
      [key, other],
      [key, wrong],
    ]) {
      const entry = Buffer.concat(parts);
      const bytes = new BinaryWriter().tag(2, 2).bytes(entry).tag(2, 2).bytes(entry).finish();
      decodesLikeTheLibrary(AnnotationSchema, bytes);
    }
  });

  test('oneofs that change their mind, and messages in two parts', () => {
    const posted = toBinary(
      EventSchema,
      create(EventSchema, {
        payload: {
          case: 'logStarted',
          value: { $typeName: 'quittance.event.v1.LogStarted', logId: bytesOf(1) },
        },
      }),
    );
    const stream = toBinary(
      EventSchema,
      create(EventSchema, { stream: { case: 'entityStreamId', value: 'x' } }),
    );
    const epoch = new BinaryWriter().tag(31, 2).bytes(bytesOf(0x08, 0x01)).finish();
    const batch = new BinaryWriter().tag(16, 2).bytes(bytesOf(0x10, 0x01)).finish();
    const batch2 = new BinaryWriter().tag(16, 2).bytes(bytesOf(0x18, 0x01)).finish();
    for (const parts of [
      [posted, posted],
      [posted, epoch],
      [posted, epoch, posted],
      [stream, stream],
      [batch, batch2],
    ]) {
      decodesLikeTheLibrary(EventSchema, Buffer.concat(parts));
    }
  });
});

describe('messages that contain themselves', () => {
  const file = create(FileDescriptorProtoSchema, {
    name: 'loop.proto',
    syntax: 'proto3',
    messageType: [
      {
        name: 'Loop',
        field: [
          { name: 'next', number: 1, type: 11, label: 1, typeName: '.Loop' },
          { name: 'text', number: 2, type: 9, label: 1 },
          { name: 'numbers', number: 3, type: 3, label: 3 },
          { name: 'signed', number: 4, type: 18, label: 3, options: { packed: false } },
          { name: 'flags', number: 5, type: 8, label: 3 },
          { name: 'deep', number: 300, type: 11, label: 3, typeName: '.Loop' },
          { name: 'ints', number: 400, type: 5, label: 3, options: { packed: false } },
        ],
      },
    ],
  });
  const loop = createFileRegistry(file, () => undefined).getMessage('Loop');
  if (loop === undefined) throw new Error('no Loop');

  test('random ones, packed lists and unpacked ones', () => {
    const property = fc.property(messageOf(loop, 3), (message) => {
      encodesLikeTheLibrary(loop, message);
      expect(encodeCompiled(loop, message)).toBeDefined();
      const bytes = toBinary(loop, message);
      decodesLikeTheLibrary(loop, bytes);
      expect(decodeCompiled(loop, bytes)).toBeDefined();
    });
    fc.assert(property, { numRuns: 300 });
  });

  test('packed where unpacked is declared, and the other way round', () => {
    const packed = new BinaryWriter()
      .tag(4, 2)
      .bytes(Uint8Array.of(1, 2, 3))
      .tag(4, 0)
      .sint64(5n);
    decodesLikeTheLibrary(loop, packed.tag(3, 0).int64(7n).tag(3, 2).bytes(Uint8Array.of(1, 0x80)).finish());
    decodesLikeTheLibrary(
      loop,
      new BinaryWriter().tag(3, 0).int64(7n).tag(3, 2).bytes(Uint8Array.of(1, 2)).finish(),
    );
  });

  test('a hundred levels and one more', () => {
    for (const levels of [98, 99, 100, 101, 150]) {
      let message: Fields = { ...create(loop), text: 'x' };
      for (let level = 1; level < levels; level++) message = { ...create(loop), next: message };
      encodesLikeTheLibrary(loop, message as unknown as Message);
      decodesLikeTheLibrary(loop, toBinary(loop, message as unknown as Message));
    }
  });
});

describe('what the library keeps', () => {
  const number = create(ValueSchema, { kind: { case: 'numberValue', value: 1 } });
  const kept: [string, DescMessage, Message][] = [
    ['proto2', FieldDescriptorProtoSchema, create(FieldDescriptorProtoSchema, { name: 'x', number: 4 })],
    ['rules', FieldRulesSchema, create(FieldRulesSchema, { type: { case: 'bool', value: { const: true } } })],
    ['a float', FloatValueSchema, create(FloatValueSchema, { value: 1.5 })],
    ['a wrapper', StringValueSchema, create(StringValueSchema, { value: 'x' })],
    ['a struct', StructSchema, create(StructSchema, { fields: { a: number } })],
  ];
  test.each(kept)('%s', (_name, schema, message) => {
    expect(encodeCompiled(schema, message)).toBeUndefined();
    expect(decodeCompiled(schema, new Uint8Array())).toBeUndefined();
    encodesLikeTheLibrary(schema, message);
    decodesLikeTheLibrary(schema, toBinary(schema, message));
  });
});

describe('the scratch', () => {
  test('results stay what they are when others are made', () => {
    const first = encodeMessage(AnnotationSchema, create(AnnotationSchema, { description: 'first' }));
    const copy = Uint8Array.from(first);
    encodeMessage(AnnotationSchema, create(AnnotationSchema, { description: 'other' }));
    expect(new Uint8Array(first)).toEqual(copy);
  });

  test('grows, and is let go again', () => {
    for (const length of [60_000, 70_000, 5_000_000, 10]) {
      const description = 'é'.repeat(length);
      const metadata = { [description]: description, short: 'x' };
      encodesLikeTheLibrary(AnnotationSchema, create(AnnotationSchema, { description, metadata }));
    }
  });

  test('a getter that encodes', () => {
    const message = {
      ...create(AnnotationSchema, { metadata: { a: 'b' } }),
      get description() {
        return Buffer.from(encodeMessage(MoneySchema, create(MoneySchema, { currency: 'EUR' }))).toString(
          'hex',
        );
      },
    };
    encodesLikeTheLibrary(AnnotationSchema, message);
  });

  test('an error does not stick', () => {
    const wrong = create(MoneySchema, { minorUnits: 2n ** 64n });
    expect(() => encodeMessage(MoneySchema, wrong)).toThrow('invalid int64');
    encodesLikeTheLibrary(MoneySchema, create(MoneySchema, { minorUnits: 5n }));
    expect(encodeCompiled(MoneySchema, create(MoneySchema))).toBeDefined();
  });
});
