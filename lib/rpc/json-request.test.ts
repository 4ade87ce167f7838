import { create, type JsonValue, toBinary } from '@bufbuild/protobuf';
import { describe, expect, test } from '@jest/globals';
import { UpdateAccountRequestSchema } from '../../gen/quittance/command/v1/account_command_service_pb.js';
import {
  DepositRequestSchema,
  ExecuteBatchRequestSchema,
} from '../../gen/quittance/command/v1/transaction_command_service_pb.js';
import { ErrorReason } from '../../gen/quittance/common/v1/error_reason_pb.js';
import { GetBalanceRequestSchema } from '../../gen/quittance/query/v1/account_query_service_pb.js';
import { ListTransactionsRequestSchema } from '../../gen/quittance/query/v1/transaction_query_service_pb.js';
import { decodeBinary } from './decode.js';
import { CallError } from './errors.js';
import { decodeJson } from './json-request.js';

const bytesOf = (json: JsonValue) => Buffer.from(JSON.stringify(json));

/** The reason, the field and the text of a refusal. */
function refusal(decoded: unknown) {
  if (!(decoded instanceof CallError)) throw new Error('it was accepted', { cause: decoded });
  const [field] = decoded.details.fields ?? [];
  return { reason: ErrorReason[decoded.reason], field: field?.field, message: decoded.message };
}

describe('times', () => {
  test.each([
    '2026-02-31T00:00:00Z',
    '2026-02-29T00:00:00Z',
    '1900-02-29T00:00:00Z',
    '2026-04-31T00:00:00Z',
    '2026-00-10T00:00:00Z',
    '2026-13-01T00:00:00Z',
    '2026-01-00T00:00:00Z',
    '2026-01-01T24:00:00Z',
    '2026-01-01T23:60:00Z',
    '2026-01-01T23:59:60Z',
    '2026-01-01T00:00:00+24:00',
    '2026-01-01T00:00:00+01:60',
    '0000-01-01T00:00:00Z',
    '0001-01-01T00:00:00+01:00',
  ])('%s does not exist, in a command, a batch and a query', (time) => {
    const deposit = { effective_time: time };
    expect(refusal(decodeJson(DepositRequestSchema, bytesOf(deposit)))).toMatchObject({
      reason: 'INVALID_FIELD',
      field: 'effective_time',
    });
    expect(
      refusal(decodeJson(ExecuteBatchRequestSchema, bytesOf({ commands: [{ deposit }] }))),
    ).toMatchObject({
      reason: 'INVALID_FIELD',
      field: 'commands[0].deposit.effective_time',
    });
    expect(refusal(decodeJson(GetBalanceRequestSchema, bytesOf({ recordedTime: time })))).toMatchObject({
      reason: 'INVALID_FIELD',
      field: 'recorded_time',
    });
  });

  test.each([
    ['2024-02-29T23:59:59.123456Z', 1_709_251_199n],
    ['2000-02-29T00:00:00+00:30', 951_780_600n],
    ['0001-01-01T00:00:00Z', -62_135_596_800n],
    ['9999-12-31T23:59:59.999999999Z', 253_402_300_799n],
  ])('%s is read', (time, seconds) => {
    const decoded = decodeJson(DepositRequestSchema, bytesOf({ effectiveTime: time }));
    expect(decoded).toMatchObject({ effectiveTime: { seconds } });
  });

  test.each(['yesterday', '2026-1-1T00:00:00Z', '2026-01-01', '10000-01-01T00:00:00Z', 5, {}])(
    '%p is not written as a time',
    (time) => {
      expect(refusal(decodeJson(DepositRequestSchema, bytesOf({ effectiveTime: time })))).toMatchObject({
        reason: 'MALFORMED_MESSAGE',
        field: 'effective_time',
      });
    },
  );
});

describe('text', () => {
  test('bytes that are not UTF-8 are refused, wherever they stand', () => {
    for (const text of [
      '{"description":"d\xf9chod"}',
      '{"d\xf9":1}',
      '{"description":"\xc0\xaf"}',
      '{"description":"\xed\xa0\x80"}',
    ]) {
      for (const schema of [DepositRequestSchema, GetBalanceRequestSchema]) {
        expect(refusal(decodeJson(schema, Buffer.from(text, 'latin1')))).toMatchObject({
          reason: 'MALFORMED_MESSAGE',
          message: 'the body is not UTF-8',
        });
      }
    }
    expect(decodeJson(DepositRequestSchema, Buffer.from('{"description":"důchod \ufffd"}'))).toMatchObject({
      description: 'důchod \ufffd',
    });
  });

  test('half a character is refused with its field', () => {
    for (const text of ['{"description":"\\ud800"}', '{"description":"\\udc00\\ud800"}']) {
      expect(refusal(decodeJson(DepositRequestSchema, Buffer.from(text)))).toMatchObject({
        reason: 'MALFORMED_MESSAGE',
        field: 'description',
      });
    }
    expect(
      refusal(decodeJson(DepositRequestSchema, Buffer.from('{"metadata":{"\\ud800":"x"}}'))),
    ).toMatchObject({
      reason: 'MALFORMED_MESSAGE',
    });
  });
});

describe('a metadata key __proto__', () => {
  test('is refused in JSON in any spelling, inside a batch too', () => {
    for (const key of ['__proto__', '\\u005f_proto__', '__prot\\u006f__']) {
      const deposit = `{"metadata":{"${key}":"x"}}`;
      expect(refusal(decodeJson(DepositRequestSchema, Buffer.from(deposit)))).toMatchObject({
        reason: 'INVALID_FIELD',
        field: 'metadata',
      });
      const batch = `{"commands":[{"deposit":${deposit}}]}`;
      expect(refusal(decodeJson(ExecuteBatchRequestSchema, Buffer.from(batch)))).toMatchObject({
        reason: 'INVALID_FIELD',
        field: 'commands[0].deposit.metadata',
      });
    }
  });

  /** A field of bytes whose tag and length are written with more bytes than they need. */
  const long = (number: number, bytes: Uint8Array) =>
    Buffer.concat([
      Buffer.from([((number * 8 + 2) & 127) | 128, (number * 8 + 2) >> 7]),
      Buffer.from([(bytes.length & 127) | 128, (bytes.length >> 7) | 128, 0]),
      bytes,
    ]);

  test('is refused in binary with tags and lengths in any spelling, inside a batch too', () => {
    const metadata = DepositRequestSchema.field.metadata.number;
    const plain = Buffer.from('\x0a\x09__proto__\x12\x01x', 'latin1');
    const spelled = Buffer.concat([long(1, Buffer.from('__proto__')), long(2, Buffer.from('x'))]);
    const behind = Buffer.concat([long(2, Buffer.from('x')), long(1, Buffer.from('__proto__'))]);
    for (const entry of [plain, spelled, behind]) {
      const deposit = long(metadata, entry);
      expect(refusal(decodeBinary(DepositRequestSchema, deposit))).toMatchObject({
        reason: 'INVALID_FIELD',
        field: 'metadata',
      });
      // commands = 3 of a batch, deposit = 7 of a command
      expect(refusal(decodeBinary(ExecuteBatchRequestSchema, long(3, long(7, deposit))))).toMatchObject({
        reason: 'INVALID_FIELD',
        field: 'commands.deposit.metadata',
      });
    }
  });

  test('as a value, or within a text, is kept', () => {
    const description = 'a \n\t__proto__';
    const message = create(DepositRequestSchema, { description, metadata: { key: '__proto__' } });
    const bytes = toBinary(DepositRequestSchema, message);
    expect(decodeBinary(DepositRequestSchema, bytes)).toMatchObject({
      description,
      metadata: { key: '__proto__' },
    });
  });
});

describe('what is wrong is said with its field', () => {
  test.each<[string, JsonValue, string, string]>([
    ['an unknown enum name', { status: 'DECLINED' }, 'INVALID_FIELD', 'status'],
    ['an enum of another type', { status: true }, 'MALFORMED_MESSAGE', 'status'],
    ['a rounded number', { consistency: 5 }, 'MALFORMED_MESSAGE', 'consistency'],
    ['a number that is no int32', { page_size: 1.5 }, 'MALFORMED_MESSAGE', 'page_size'],
  ])('%s in a query', (_name, json, reason, field) => {
    expect(refusal(decodeJson(ListTransactionsRequestSchema, bytesOf(json)))).toMatchObject({
      reason,
      field,
    });
  });

  test('the names that an enum has', () => {
    const { message } = refusal(decodeJson(ListTransactionsRequestSchema, bytesOf({ status: 'DECLINED' })));
    expect(message).toContain('TRANSACTION_STATUS_DECLINED');
  });

  test.each<[string, string, string, string]>([
    ['Money that is no object', '{"amount":5}', 'MALFORMED_MESSAGE', 'amount'],
    ['a part of Money', '{"amount":{"minor_units":"1.5"}}', 'MALFORMED_MESSAGE', 'amount.minor_units'],
    ['a list for a map', '{"metadata":[]}', 'MALFORMED_MESSAGE', 'metadata'],
    ['a number for a text', '{"ledgerId":5}', 'MALFORMED_MESSAGE', 'ledger_id'],
    ['a text for a bool', '{"validateOnly":"true"}', 'MALFORMED_MESSAGE', 'validate_only'],
    ['a null in a map', '{"metadata":{"a":null}}', 'MALFORMED_MESSAGE', 'metadata["a"]'],
    ['both names of a field', '{"ledgerId":"a","ledger_id":"b"}', 'MALFORMED_MESSAGE', 'ledger_id'],
    ['an unknown field', '{"amount":{"cents":5}}', 'UNKNOWN_FIELD', 'amount.cents'],
  ])('%s in a command', (_name, text, reason, field) => {
    expect(refusal(decodeJson(DepositRequestSchema, Buffer.from(text)))).toMatchObject({ reason, field });
  });

  test('two of a oneof, and a key given twice in any spelling', () => {
    const two = bytesOf({ recordedTime: '2026-01-01T00:00:00Z', position: '5' });
    expect(refusal(decodeJson(GetBalanceRequestSchema, two))).toMatchObject({
      reason: 'MALFORMED_MESSAGE',
      field: 'position',
    });
    const twice = Buffer.from('{"ledgerId":"a","ledger\\u0049d":"b"}');
    expect(refusal(decodeJson(GetBalanceRequestSchema, twice)).message).toBe(
      'the key ledgerId is given twice',
    );
  });
});

describe('masks of fields', () => {
  test.each([
    'overdraft_limit,owner_reference',
    'overdraftLimit,ownerReference',
    'overdraft_limit,ownerReference',
  ])('%s is read', (mask) => {
    for (const name of ['update_mask', 'updateMask']) {
      expect(decodeJson(UpdateAccountRequestSchema, bytesOf({ [name]: mask }))).toMatchObject({
        updateMask: { paths: ['overdraft_limit', 'owner_reference'] },
      });
    }
  });

  test.each<JsonValue>([{ paths: ['name'] }, ['name'], 5, 'a b', 'name,,'])('%j is none', (mask) => {
    expect(refusal(decodeJson(UpdateAccountRequestSchema, bytesOf({ updateMask: mask })))).toMatchObject({
      reason: 'MALFORMED_MESSAGE',
      field: 'update_mask',
    });
  });
});
