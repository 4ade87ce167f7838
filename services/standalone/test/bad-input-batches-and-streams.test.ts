/** Batches and streams of commands. No input crashes the platform: each is answered with one documented error, and changes nothing. */
import { Buffer } from 'node:buffer';
import { randomUUID } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import { type JsonObject, toBinary, fromBinary, fromJson } from '@bufbuild/protobuf';
import { anyUnpack } from '@bufbuild/protobuf/wkt';
import { ErrorInfoSchema } from '../../../gen/google/rpc/error_details_pb.js';
import {
  ExecuteBatchResponseSchema,
  StreamCommandsRequestSchema,
  type StreamCommandsResponse,
  StreamCommandsResponseSchema,
  TransactionCommandService,
} from '../../../gen/quittance/command/v1/transaction_command_service_pb.js';
import type { ErrorReason } from '../../../gen/quittance/common/v1/error_reason_pb.js';
import { Client, credentials } from '@grpc/grpc-js';
import { LEDGER, eur, aDeposit, anAccount, field } from './bad-input-requests.js';
import { badInput, provesTheBooks } from './bad-input.js';

const { deposit, executeBatch } = TransactionCommandService.method;
const commands = TransactionCommandService.method;
const target = badInput();
const { refused, head } = target;

describe('batches', () => {
  const ATOMIC = 'BATCH_MODE_ATOMIC';
  const batch = (items: JsonObject[], change: JsonObject = {}): JsonObject => ({
    ledgerId: LEDGER,
    commands: items,
    ...change,
  });

  test('their size', async () => {
    await refused(executeBatch, batch([]), 'INVALID_FIELD');
    const items = Array.from({ length: 1_001 }, () => ({ deposit: aDeposit() }));
    await refused(executeBatch, batch(items), 'INVALID_FIELD');
    await refused(executeBatch, batch(items, { mode: ATOMIC }), 'INVALID_FIELD');
    await refused(executeBatch, batch([{ deposit: aDeposit() }], { mode: 9 }), 'INVALID_FIELD');
  });

  test('an atomic one is refused as a whole, naming the item, and stores nothing', async () => {
    const good = () => ({ deposit: aDeposit() });
    const requestId = randomUUID();
    const bad: [JsonObject, keyof typeof ErrorReason][] = [
      [{ createLedger: { ledgerId: LEDGER, requestId: randomUUID() } }, 'INVALID_FIELD'],
      [{ openAccount: anAccount() }, 'INVALID_FIELD'],
      [{ deposit: aDeposit({ ledgerId: 'another' }) }, 'INVALID_FIELD'],
      [{ deposit: aDeposit({ validateOnly: true }) }, 'INVALID_FIELD'],
      [{ deposit: aDeposit({ amount: eur('0') }) }, 'INVALID_FIELD'],
      [{ deposit: aDeposit({ accountId: 'nobody' }) }, 'ACCOUNT_NOT_FOUND'],
      [
        { voidPayment: { ledgerId: LEDGER, requestId: randomUUID(), paymentId: requestId } },
        'PAYMENT_NOT_FOUND',
      ],
      [
        { adjustAuthorization: { ledgerId: LEDGER, requestId: randomUUID(), paymentId: requestId } },
        'INVALID_FIELD',
      ],
      [{ deposit: aDeposit({ requestId: target.depositId }) }, 'REQUEST_ID_REUSED'],
      [{}, 'INVALID_FIELD'],
    ];
    for (const [item, reason] of bad) {
      await refused(executeBatch, batch([good(), item], { mode: ATOMIC }), reason);
      const outcome = await target.raw.json('grpc', executeBatch, batch([good(), item], { mode: ATOMIC }));
      // Of a batch that overlaps what is stored, the first item that is not is named.
      expect(outcome.text).toContain(reason === 'REQUEST_ID_REUSED' ? 'commands[0]' : 'commands[1]');
    }
    const twice = [{ deposit: aDeposit({ requestId }) }, { deposit: aDeposit({ requestId }) }];
    await refused(executeBatch, batch(twice, { mode: ATOMIC }), 'INVALID_FIELD');
  });

  test('in an independent one each item answers for itself', async () => {
    const requestId = randomUUID();
    const twice = aDeposit({ requestId });
    const items: JsonObject[] = [
      { deposit: aDeposit({ amount: eur('0') }) },
      { createLedger: { ledgerId: LEDGER, requestId: randomUUID() } },
      { deposit: aDeposit({ ledgerId: 'another' }) },
      { deposit: aDeposit({ validateOnly: true }) },
      {},
      { deposit: aDeposit({ accountId: 'nobody' }) },
      { deposit: twice },
      { deposit: twice },
      { deposit: aDeposit({ requestId, amount: eur('6') }) },
    ];
    const outcome = await target.raw.json('grpc', executeBatch, batch(items));
    expect(outcome.code).toBe(0);
    const { results } = fromBinary(ExecuteBatchResponseSchema, outcome.answers[0] ?? Buffer.alloc(0));
    expect(results.map(reasonOf)).toEqual([
      'INVALID_FIELD',
      'INVALID_FIELD',
      'INVALID_FIELD',
      'INVALID_FIELD',
      'INVALID_FIELD',
      'ACCOUNT_NOT_FOUND',
      '',
      '',
      'REQUEST_ID_REUSED',
    ]);
    expect(results[7]?.result.value).toMatchObject({ replayed: true });
    expect(await head()).toBe(String(BigInt(target.headBefore) + 1n));
  });
});

function reasonOf({ result }: { result: NonNullable<StreamCommandsResponse['result']>['result'] }): string {
  if (result.case !== 'error') return '';
  const infos = result.value.details.flatMap((detail) => anyUnpack(detail, ErrorInfoSchema) ?? []);
  expect(infos).toHaveLength(1);
  return infos[0]?.reason ?? 'none';
}

/** Sends these messages over one stream and reads what comes until its end. */
function stream(messages: readonly Uint8Array[]): Promise<{ reasons: string[]; end: string }> {
  const client = new Client(target.platform.grpcAddress, credentials.createInsecure(), {
    'grpc.max_send_message_length': -1,
  });
  const path = `/${commands.streamCommands.parent.typeName}/StreamCommands`;
  const call = client.makeBidiStreamRequest(
    path,
    (bytes: Buffer) => bytes,
    (bytes: Buffer) => bytes,
  );
  return new Promise((resolve) => {
    const reasons: string[] = [];
    call.on('data', (bytes: Buffer) => {
      const { result, index } = fromBinary(StreamCommandsResponseSchema, bytes);
      expect(index).toBe(BigInt(reasons.length));
      reasons.push(result === undefined ? 'none' : reasonOf(result));
    });
    const ended = (end: string) => {
      client.close();
      resolve({ reasons, end });
    };
    call.on('error', (error) => {
      ended(error.message);
    });
    call.on('end', () => {
      ended('OK');
    });
    for (const message of messages) call.write(Buffer.from(message));
    call.end();
  });
}

describe('streams of commands', () => {
  const item = (json: JsonObject) =>
    toBinary(StreamCommandsRequestSchema, fromJson(StreamCommandsRequestSchema, { command: json }));

  test('a bad command answers for itself, and the stream goes on', async () => {
    const { reasons, end } = await stream([
      item({ deposit: aDeposit() }),
      item({ deposit: aDeposit({ amount: eur('0') }) }),
      item({}),
      new Uint8Array(0),
      item({ deposit: aDeposit({ accountId: 'nobody' }) }),
      item({ deposit: aDeposit({ requestId: target.depositId }) }),
      item({ deposit: aDeposit() }),
    ]);
    expect({ reasons, end }).toEqual({
      reasons: [
        '',
        'INVALID_FIELD',
        'INVALID_FIELD',
        'INVALID_FIELD',
        'ACCOUNT_NOT_FOUND',
        'REQUEST_ID_REUSED',
        '',
      ],
      end: 'OK',
    });
    expect(await head()).toBe(String(BigInt(target.headBefore) + 2n));
  });

  test('fields that are not known are refused at every depth', async () => {
    const known = toBinary(deposit.input, fromJson(deposit.input, aDeposit()));
    const { reasons, end } = await stream([
      field(1, field(7, Buffer.concat([known, field(99, 1)]))),
      field(1, Buffer.concat([field(7, known), field(99, 1)])),
      Buffer.concat([field(1, field(7, known)), field(99, 1)]),
      field(1, field(55, known)),
      item({ deposit: aDeposit() }),
    ]);
    expect({ reasons, end }).toEqual({
      reasons: [...Array.from({ length: 4 }, () => 'UNKNOWN_FIELD'), ''],
      end: 'OK',
    });
    expect(await head()).toBe(String(BigInt(target.headBefore) + 1n));
  });

  test('bytes that are no message, and messages that are too large, answer for themselves', async () => {
    const { reasons, end } = await stream([
      item({ deposit: aDeposit() }),
      Buffer.from([0xff, 0xff]),
      field(1, Buffer.alloc(5 * 1024 * 1024)),
      item({ deposit: aDeposit() }),
    ]);
    expect({ reasons, end }).toEqual({
      reasons: ['', 'MALFORMED_MESSAGE', 'MESSAGE_TOO_LARGE', ''],
      end: 'OK',
    });
  });
});

provesTheBooks(target);
