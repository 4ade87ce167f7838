/** Takes traces by OTLP, in protobuf over HTTP, and keeps their spans. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { BinaryReader, WireType } from '@bufbuild/protobuf/wire';

/** A span as it was sent. */
export interface SentSpan {
  /** The name of the service that sent it. */
  readonly service: string;
  readonly traceId: string;
  readonly spanId: string;
  /** Empty if it begins its trace. */
  readonly parentSpanId: string;
  readonly name: string;
  /** As OTLP numbers them: 1 internal, 2 server, 3 client, 4 producer, 5 consumer. */
  readonly kind: number;
  /** Nanoseconds since 1970. */
  readonly began: bigint;
  readonly ended: bigint;
  readonly attributes: Readonly<Record<string, string>>;
  /** The ids of the spans of other traces that it is linked to. */
  readonly links: readonly string[];
}

export interface OtlpReceiver {
  /** Where traces are sent. */
  readonly url: string;
  readonly spans: readonly SentSpan[];
  stop(): Promise<void>;
}

export async function startOtlpReceiver(): Promise<OtlpReceiver> {
  const spans: SentSpan[] = [];
  const server = createServer((request, response) => {
    void buffer(request).then((body) => {
      spans.push(...spansOf(body));
      response.setHeader('Content-Type', 'application/x-protobuf');
      response.end();
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${String(port)}/v1/traces`,
    spans,
    stop: async () => {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

type Field = Uint8Array | bigint;

/** The fields of a message by their numbers. https://github.com/open-telemetry/opentelemetry-proto */
function fieldsOf(bytes: Uint8Array): ReadonlyMap<number, readonly Field[]> {
  const fields = new Map<number, Field[]>();
  const reader = new BinaryReader(bytes);
  while (reader.pos < reader.len) {
    const [number, wire] = reader.tag();
    const found = fields.get(number) ?? [];
    fields.set(number, found);
    if (wire === WireType.LengthDelimited) found.push(reader.bytes());
    else if (wire === WireType.Varint) found.push(BigInt(reader.uint64()));
    else if (wire === WireType.Bit64) found.push(BigInt(reader.fixed64()));
    else reader.skip(wire, number);
  }
  return fields;
}

function messages(fields: ReadonlyMap<number, readonly Field[]>, number: number): readonly Uint8Array[] {
  return (fields.get(number) ?? []).filter((field) => field instanceof Uint8Array);
}

const textOf = (field: Field | undefined) =>
  field instanceof Uint8Array ? Buffer.from(field).toString() : '';
const hexOf = (field: Field | undefined) =>
  field instanceof Uint8Array ? Buffer.from(field).toString('hex') : '';
const numberOf = (field: Field | undefined) => (typeof field === 'bigint' ? field : 0n);

function spansOf(body: Uint8Array): readonly SentSpan[] {
  return messages(fieldsOf(body), 1).flatMap((bytes) => {
    const ofResource = fieldsOf(bytes);
    const [resource = new Uint8Array(0)] = messages(ofResource, 1);
    const service = attributesOf(messages(fieldsOf(resource), 1))['service.name'] ?? '';
    return messages(ofResource, 2).flatMap((scope) =>
      messages(fieldsOf(scope), 2).map((span) => spanOf(service, fieldsOf(span))),
    );
  });
}

function spanOf(service: string, span: ReadonlyMap<number, readonly Field[]>): SentSpan {
  return {
    service,
    traceId: hexOf(span.get(1)?.[0]),
    spanId: hexOf(span.get(2)?.[0]),
    parentSpanId: hexOf(span.get(4)?.[0]),
    name: textOf(span.get(5)?.[0]),
    kind: Number(numberOf(span.get(6)?.[0])),
    began: numberOf(span.get(7)?.[0]),
    ended: numberOf(span.get(8)?.[0]),
    attributes: attributesOf(messages(span, 9)),
    links: messages(span, 13).map((link) => hexOf(fieldsOf(link).get(2)?.[0])),
  };
}

/** Texts and whole numbers. */
function attributesOf(pairs: readonly Uint8Array[]): Record<string, string> {
  return Object.fromEntries(
    pairs.map((pair) => {
      const fields = fieldsOf(pair);
      const value = fieldsOf(messages(fields, 2)[0] ?? new Uint8Array(0));
      const text = textOf(value.get(1)?.[0]);
      return [textOf(fields.get(1)?.[0]), text === '' ? String(value.get(3)?.[0] ?? '') : text];
    }),
  );
}
