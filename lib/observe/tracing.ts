/**
 * Traces, as the rest of the program sees them. Where they are off there is no Tracer, and nothing of OpenTelemetry is loaded.
 * https://www.w3.org/TR/trace-context/
 */
import type { Event } from '../../gen/quittance/event/v1/event_pb.js';
import type { TracingConfig } from '../base/tracing-config.js';

/** A span as others refer to it. */
export interface SpanPoint {
  /** 32 hexadecimal characters. */
  readonly traceId: string;
  /** 16 hexadecimal characters. */
  readonly spanId: string;
  /** Whether it is recorded, as its own process says. */
  readonly isSampled: boolean;
}

/** As OpenTelemetry means them. */
export type SpanKind = 'server' | 'client' | 'internal' | 'producer' | 'consumer';

export type SpanAttributes = Readonly<Record<string, string | number | boolean>>;

/** With what a span begins. */
export interface SpanStart {
  readonly name: string;
  readonly kind: SpanKind;
  /** The span that it is a part of; undefined: it begins a trace. */
  readonly parent?: SpanPoint | undefined;
  /** The id of the trace that it begins; undefined: a random one. */
  readonly traceId?: string | undefined;
  /** Its own id, where others find it without being told; undefined: a random one. */
  readonly spanId?: string | undefined;
  /** Spans of other traces that it belongs to. */
  readonly links?: readonly SpanPoint[];
  readonly attributes?: SpanAttributes;
  /** When it began, milliseconds since 1970; undefined: now. */
  readonly began_ms?: number | undefined;
}

/** A span under way that is recorded. */
export interface Span {
  readonly point: SpanPoint;
  set(attributes: SpanAttributes): void;
  /** Says that it belongs to a span of another trace, too. */
  link(point: SpanPoint): void;
  /** Says that what it stands for has failed. */
  failed(reason: string): void;
  /** Ends it, now. */
  end(): void;
}

export interface Tracer {
  /** Undefined if the span is not to be recorded. */
  start(span: SpanStart): Span | undefined;
  /** Sends what is recorded, and ends. */
  close(): Promise<void>;
}

/** Later versions may add to it after a dash; `ff`, and a parent of zeros, make the whole header void. */
const TRACEPARENT = /^(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})(?:$|-)/;

/** The span that a W3C traceparent header names; undefined if there is none to use. */
export function spanPointOf(traceparent: string | undefined): SpanPoint | undefined {
  const [, traceId, spanId, flags] = (traceparent === undefined ? null : TRACEPARENT.exec(traceparent)) ?? [];
  if (traceId === undefined || spanId === undefined || flags === undefined) return undefined;
  return { traceId, spanId, isSampled: (Number.parseInt(flags, 16) & 1) === 1 };
}

/**
 * The span of an event, in the trace of the call that made it: its id is the beginning of the event's hash, so that what
 * reads the event can go on with the trace. Undefined for an event without a trace.
 */
export function spanPointOfEvent(
  { traceId, traceSampled: isSampled }: Pick<Event, 'traceId' | 'traceSampled'>,
  hash: Uint8Array,
): SpanPoint | undefined {
  if (traceId.length !== 16) return undefined;
  return { traceId: hexOf(traceId, 16), spanId: hexOf(hash, 8), isSampled };
}

function hexOf(bytes: Uint8Array, length: number): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, length).toString('hex');
}

/**
 * Loads OpenTelemetry where traces are on; undefined where they are off.
 * @param service what the process is called if the configuration does not say
 */
export async function openTracer(
  config: TracingConfig | undefined,
  service: string,
  version: string,
): Promise<Tracer | undefined> {
  if (config === undefined) return undefined;
  const { otelTracer } = await import('./otel.js');
  return otelTracer(config, config.serviceName ?? service, version);
}
