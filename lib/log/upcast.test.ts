import { readFileSync } from 'node:fs';
import { type JsonValue, toJson } from '@bufbuild/protobuf';
import { expect, test } from '@jest/globals';
import { type Event, EventSchema } from '../../gen/quittance/event/v1/event_pb.js';
import { LedgerFixture, testId } from '../../test/ledger-fixture.js';
import { decodeMessage } from '../base/codec/binary.js';
import { isKnown } from '../views/known-event.js';
import { toKafkaMessage } from './cloud-event.js';
import { decodeEvent, eventOf } from './codec.js';

/** One life of a ledger as an earlier version wrote it, every kind of event in it. It is added to, and never changed. */
interface Golden {
  /** Hexadecimal. */
  readonly bytes: string;
  /** What they said then, as JSON. */
  readonly event: Readonly<Record<string, JsonValue>>;
}

const golden = JSON.parse(readFileSync('lib/log/golden/events.json', 'utf8')) as readonly Golden[];
const bytesOf = ({ bytes }: Golden) => Buffer.from(bytes, 'hex');
/** What of an event's form is of another version today, by the name of its old form. */
const TODAY: Readonly<Record<string, Readonly<Record<string, JsonValue>>>> = {
  ledgerCreated: { ledgerCreatedV2: { description: 'Shop', metadata: { a: '1', b: '2' } } },
};

/** What an old event is today. */
function today({ event }: Golden): Readonly<Record<string, JsonValue>> {
  const old = Object.keys(event).find((name) => name in TODAY);
  if (old === undefined) return event;
  const rest = Object.entries(event).filter(([name]) => name !== old);
  return { ...Object.fromEntries(rest), ...TODAY[old] };
}

test.each(golden.map((each) => [Object.keys(each.event).at(-1), each] as const))(
  'the bytes of %s say for ever what they said, in the form of today',
  (_, each) => {
    const event = eventOf(bytesOf(each));
    expect(toJson(EventSchema, event)).toEqual(today(each));
    expect(isKnown(event)).toBe(true);
  },
);

test('every kind of event that was ever written is among them', () => {
  const kinds = EventSchema.oneofs.find(({ name }) => name === 'payload')?.fields ?? [];
  const written = new Set(golden.map((each) => decodeMessage(EventSchema, bytesOf(each)).payload.case));
  // These are in test/golden/lives.json.
  const missing = kinds.map(({ localName }) => localName).filter((name) => !written.has(name as never));
  expect(missing).toEqual([
    'epochStarted',
    'ledgerCreatedV2',
    'assetRegistered',
    'paymentAdjusted',
    'periodClosed',
    'periodReopened',
  ]);
});

test('what is written today is of today, and says the same', () => {
  const fixture = new LedgerFixture();
  const [written] = fixture.run({
    case: 'createLedger',
    value: { ledgerId: 'main', requestId: testId(1), description: 'Shop', metadata: { b: '2', a: '1' } },
  });
  const old = golden.find(({ event }) => 'ledgerCreated' in event);
  if (written === undefined || old === undefined) throw new Error('a ledger was created');
  const payloadOf = ({ payload }: Event) => payload;
  expect(payloadOf(decodeMessage(EventSchema, written.bytes))).toEqual(payloadOf(eventOf(bytesOf(old))));
});

test('a message of the bus says of which version its bytes are', () => {
  const typeOf = (bytes: Uint8Array) => {
    const record = decodeEvent(1n, bytes, new Uint8Array(32));
    return toKafkaMessage({ partition: 0, record, after: -1n, watermark: undefined }, 0).headers['ce_type'];
  };
  const old = golden.find(({ event }) => 'ledgerCreated' in event);
  if (old === undefined) throw new Error('a ledger was created');
  expect(typeOf(bytesOf(old))).toBe('quittance.event.v1.ledgerCreated');
  const fixture = new LedgerFixture();
  const [written] = fixture.run({ case: 'createLedger', value: { ledgerId: 'main', requestId: testId(1) } });
  expect(typeOf(written?.bytes ?? new Uint8Array(0))).toBe('quittance.event.v2.ledgerCreated');
});
