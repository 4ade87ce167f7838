/**
 * The golden files: what was written once, in every format that outlives a process. They are added to by `npm run golden:add`, and
 * what stands in them is never changed: it is what databases, topics, clients and receivers hold.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { create, createRegistry, type JsonObject, type JsonValue, toJson } from '@bufbuild/protobuf';
import { file_google_rpc_error_details } from '../../gen/google/rpc/error_details_pb.js';
import {
  CommandResultSchema,
  CommandSchema,
} from '../../gen/quittance/command/v1/transaction_command_service_pb.js';
import { EventSchema } from '../../gen/quittance/event/v1/event_pb.js';
import { decodeMessage } from '../../lib/base/codec/binary.js';
import { commandOf } from '../../lib/log/canonical-body.js';
import { pointOf } from '../../lib/log/recorded-event.js';
import { decodeRecord } from '../../lib/log/shared-records.js';
import { answerOf, resultOf } from '../../services/command/rpc/answer.js';
import { LIVES, type Written } from './life.js';

const registry = createRegistry(file_google_rpc_error_details);

/** An event as it was written. */
export interface GoldenEvent {
  /** Hexadecimal. */
  readonly bytes: string;
  /** What they say, as JSON. */
  readonly event: JsonObject;
  /** The request that it came of, as JSON; absent for internal events and further events of a command. */
  readonly request?: JsonObject;
  /** What the request was answered with, as JSON; absent likewise. */
  readonly answer?: JsonObject;
}

const IS_ADDING = process.env['QUITTANCE_GOLDEN'] === 'add';

/** The log that the tokens of answers name. */
const LOG = { logId: Buffer.alloc(16, 7), shard: 0 };

/** The lives that were ever written, by name. */
export function goldenLives(): Readonly<Record<string, readonly GoldenEvent[]>> {
  return added('test/golden/lives.json', Object.entries(LIVES), (life): readonly GoldenEvent[] =>
    life().map(goldenOf),
  );
}

/** What was ever written in the other formats, by name; `today` says how each is written now. */
export function goldenForms(
  today: Readonly<Record<string, () => JsonValue>>,
): Readonly<Record<string, JsonValue>> {
  return added('test/golden/forms.json', Object.entries(today), (write) => write());
}

/** The answer that an event stands for, as JSON; undefined if it is of no request. */
export function answerIn(bytes: Uint8Array): JsonValue | undefined {
  const record = decodeRecord(decodeMessage(EventSchema, bytes).position, Buffer.from(bytes));
  const command = commandOf(record.event);
  if (command === undefined) return undefined;
  const decided = { events: [record.event], command: null, replayed: true, point: pointOf(record) };
  const result = resultOf(answerOf(command.case, decided, LOG));
  return toJson(CommandResultSchema, result, { registry });
}

function goldenOf({ bytes, request }: Written): GoldenEvent {
  const written = {
    bytes: Buffer.from(bytes).toString('hex'),
    event: objectOf(toJson(EventSchema, decodeMessage(EventSchema, bytes))),
  };
  if (request === undefined) return written;
  const command = create(CommandSchema, { command: request });
  return {
    ...written,
    request: objectOf(toJson(CommandSchema, command)),
    answer: objectOf(answerIn(bytes) ?? null),
  };
}

function objectOf(value: JsonValue): JsonObject {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new Error('a message is an object');
  return value;
}

/** A golden file; while adding, with what it did not have. */
function added<T, W>(
  path: string,
  today: readonly (readonly [name: string, write: W])[],
  valueOf: (write: W) => T,
): Readonly<Record<string, T>> {
  const golden = JSON.parse(readFileSync(path, 'utf8')) as Record<string, T>;
  if (!IS_ADDING) return golden;
  for (const [name, write] of today) golden[name] ??= valueOf(write);
  writeFileSync(path, `${JSON.stringify(golden, undefined, 2)}\n`);
  return golden;
}
