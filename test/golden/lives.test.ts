/** What events, requests and answers said once they say for ever. See docs/contract-changes.md. */
import { createHash } from 'node:crypto';
import {
  type DescMessage,
  fromJson,
  type JsonValue,
  type Message,
  toBinary,
  toJson,
} from '@bufbuild/protobuf';
import { reflect, type ReflectMessage } from '@bufbuild/protobuf/reflect';
import { describe, expect, test } from '@jest/globals';
import { CommandSchema } from '../../gen/quittance/command/v1/transaction_command_service_pb.js';
import { EventSchema } from '../../gen/quittance/event/v1/event_pb.js';
import { decodeMessage, encodeMessage } from '../../lib/base/codec/binary.js';
import {
  canonicalBody,
  canonicalCommand,
  decodeCommand,
  encodeCommand,
} from '../../lib/log/canonical-body.js';
import { eventOf } from '../../lib/log/codec.js';
import { isKnown } from '../../lib/views/known-event.js';
import { answerIn, type GoldenEvent, goldenLives } from './golden.js';
import { LIVES } from './life.js';

const lives = goldenLives();
const ADD = 'add a life to test/golden/life.ts, then npm run golden:add';
const bytesOf = ({ bytes }: GoldenEvent) => Buffer.from(bytes, 'hex');
const hexOf = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');

/** The command of a request as it was sent. */
function commandIn(request: JsonValue) {
  const { command } = fromJson(CommandSchema, request);
  if (command.case === undefined) throw new Error('a request is a command');
  return command;
}

test('every life of today was written', () => {
  expect({ lives: Object.keys(lives), else: ADD }).toEqual({
    lives: expect.arrayContaining(Object.keys(LIVES)) as unknown,
    else: ADD,
  });
});

describe.each(Object.entries(lives))('of the life “%s”', (_, events) => {
  const named = events.map((each, index): [string, GoldenEvent] => [
    `${String(index)} ${String(Object.keys(each.event).at(-1))}`,
    each,
  ]);

  test.each(named)('the bytes of %s say what they said, and are written alike', (__, each) => {
    const bytes = bytesOf(each);
    const event = decodeMessage(EventSchema, bytes);
    expect(toJson(EventSchema, event)).toEqual(each.event);
    expect(hexOf(encodeMessage(EventSchema, event))).toBe(each.bytes);
    expect(hexOf(toBinary(EventSchema, fromJson(EventSchema, each.event)))).toBe(each.bytes);
    expect(isKnown(eventOf(bytes))).toBe(true);
  });

  test.each(named.filter(([, { request }]) => request !== undefined))(
    'the request of %s is known again, and answered as it was',
    (__, { request = {}, answer = {}, ...each }) => {
      const { commandType, canonicalBody: body } = decodeMessage(EventSchema, bytesOf(each));
      const command = commandIn(request);
      // Else a retry from before an upgrade would be refused with REQUEST_ID_REUSED.
      expect(hexOf(canonicalBody(command))).toBe(hexOf(body));
      expect(hexOf(encodeCommand(decodeCommand(commandType, body)))).toBe(hexOf(body));
      expect(decodeCommand(commandType, body).case).toBe(canonicalCommand(command).case);
      // An answer may say more than it said.
      expect(answerIn(bytesOf(each))).toMatchObject(answer);
    },
  );
});

test('the events of a life are chained: each holds the hash of the one before', () => {
  const events = lives['every command']?.map(bytesOf) ?? [];
  expect(events.length).toBeGreaterThan(0);
  const hashes = events.map((bytes) => createHash('sha256').update(bytes).digest('hex'));
  const previous = events.map((bytes) => hexOf(decodeMessage(EventSchema, bytes).previousHash));
  expect(previous).toEqual(['', ...hashes.slice(0, -1)]);
});

/** Adds the fields that are set in a message and in the messages that it holds. */
function addFields(message: ReflectMessage, found: Set<string>): void {
  for (const field of message.sortedFields) {
    if (!message.isSet(field)) continue;
    found.add(`${message.desc.typeName}.${field.name}`);
    if (field.fieldKind === 'message') addFields(message.get(field), found);
    if (field.fieldKind === 'list' && field.listKind === 'message')
      for (const item of message.get(field)) addFields(item as ReflectMessage, found);
  }
}

/** The fields of the messages of Quittance that a message can hold. */
function fieldsOf(desc: DescMessage, found = new Set<string>()): ReadonlySet<string> {
  for (const field of desc.fields) {
    const name = `${desc.typeName}.${field.name}`;
    if (found.has(name) || !desc.typeName.startsWith('quittance.')) continue;
    found.add(name);
    if (field.message !== undefined) fieldsOf(field.message, found);
  }
  return found;
}

function missing(desc: DescMessage, messages: readonly Message[]): readonly string[] {
  const set = new Set<string>();
  for (const message of messages) addFields(reflect(desc, message), set);
  return [...fieldsOf(desc)].filter((name) => !set.has(name));
}

const golden = Object.values(lives).flat();

test('every kind of event and every field of it is among them', () => {
  const before = 'quittance.event.v1.Event.ledger_created';
  const fields = missing(
    EventSchema,
    golden.map((each) => decodeMessage(EventSchema, bytesOf(each))),
  );
  // Was never released: lib/log/golden/events.json has it.
  expect({ fields, else: ADD }).toEqual({ fields: [before], else: ADD });
});

test('every kind of request and every field of it is among them', () => {
  const requests = golden.flatMap(({ request }) =>
    request === undefined ? [] : [fromJson(CommandSchema, request)],
  );
  const fields = missing(CommandSchema, requests).filter((name) => !/\.(validate_only|exponent)$/.test(name));
  expect({ fields, else: ADD }).toEqual({ fields: [], else: ADD });
});
