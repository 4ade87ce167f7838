/** Traces by OpenTelemetry. Only `openTracer` imports this file, and only where traces are on. */
import {
  type Attributes,
  type Context,
  type Link,
  ROOT_CONTEXT,
  type Span as OtelSpan,
  type SpanContext,
  SpanKind as OtelKind,
  SpanStatusCode,
  trace,
  TraceFlags,
} from '@opentelemetry/api';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-proto';
import {
  defaultResource,
  detectResources,
  envDetector,
  resourceFromAttributes,
} from '@opentelemetry/resources';
import {
  BatchSpanProcessor,
  type IdGenerator,
  NodeTracerProvider,
  ParentBasedSampler,
  RandomIdGenerator,
  type Sampler,
  TraceIdRatioBasedSampler,
} from '@opentelemetry/sdk-trace-node';
import { pause } from '../base/pause.js';
import type { SamplingConfig, TracingConfig } from '../base/tracing-config.js';
import type { Span, SpanKind, SpanPoint, SpanStart, Tracer } from './tracing.js';

const KINDS: Readonly<Record<SpanKind, OtelKind>> = {
  server: OtelKind.SERVER,
  client: OtelKind.CLIENT,
  internal: OtelKind.INTERNAL,
  producer: OtelKind.PRODUCER,
  consumer: OtelKind.CONSUMER,
};

/** How long the last spans may take to be sent. */
const CLOSE_LIMIT_MS = 3_000;

export function otelTracer(config: TracingConfig, service: string, version: string): Tracer {
  const own = resourceFromAttributes({ 'service.name': service, 'service.version': version });
  const environment = detectResources({ detectors: [envDetector] });
  const ids = new ChosenIds();
  const root = new TraceIdRatioBasedSampler(config.sampling.ratio);
  const provider = new NodeTracerProvider({
    resource: defaultResource().merge(environment).merge(own),
    spanProcessors: [
      new BatchSpanProcessor(new OTLPTraceExporter({ url: config.url }), {
        scheduledDelayMillis: config.delay_ms,
      }),
    ],
    idGenerator: ids,
    sampler: samplerOf(config.sampling, root),
  });
  const tracer = provider.getTracer('quittance', version);
  return {
    start: (start) => {
      const { name, parent, links = [], attributes = {}, began_ms } = start;
      const context = contextOf(parent);
      ids.choose(start);
      const options = {
        kind: KINDS[start.kind],
        attributes: { ...attributes },
        links: links.map(linkOf),
        ...(began_ms === undefined ? {} : { startTime: began_ms }),
      };
      const span = tracer.startSpan(name, options, context);
      return span.isRecording() ? spanOf(span) : undefined;
    },
    close: async () => {
      const answered = new AbortController();
      const sent = provider.shutdown().catch(() => undefined);
      // A collector that is away must not keep a process from its end.
      await Promise.race([sent, pause(CLOSE_LIMIT_MS, answered.signal)]);
      answered.abort();
    },
  };
}

function samplerOf({ isParentBased }: SamplingConfig, root: Sampler): Sampler {
  return isParentBased ? new ParentBasedSampler({ root }) : root;
}

function contextOf(parent: SpanPoint | undefined): Context {
  return parent === undefined ? ROOT_CONTEXT : trace.setSpanContext(ROOT_CONTEXT, spanContextOf(parent));
}

function spanContextOf({ traceId, spanId, isSampled }: SpanPoint): SpanContext {
  const traceFlags = isSampled ? TraceFlags.SAMPLED : TraceFlags.NONE;
  return { traceId, spanId, traceFlags, isRemote: true };
}

function linkOf(point: SpanPoint): Link {
  return { context: spanContextOf(point) };
}

function spanOf(span: OtelSpan): Span {
  const { traceId, spanId } = span.spanContext();
  return {
    point: { traceId, spanId, isSampled: true },
    set: (attributes) => {
      const copy: Attributes = { ...attributes };
      span.setAttributes(copy);
    },
    link: (other) => {
      span.addLink(linkOf(other));
    },
    failed: (reason) => {
      span.setStatus({ code: SpanStatusCode.ERROR, message: reason });
      span.setAttribute('error.type', reason);
    },
    end: () => {
      span.end();
    },
  };
}

/** Random ids, but those that a span was told to have: the library asks for them while it starts the span. */
class ChosenIds implements IdGenerator {
  readonly #random = new RandomIdGenerator();
  #traceId: string | undefined;
  #spanId: string | undefined;

  choose({ traceId, spanId }: Pick<SpanStart, 'traceId' | 'spanId'>): void {
    this.#traceId = traceId;
    this.#spanId = spanId;
  }

  generateTraceId(): string {
    return this.#traceId ?? this.#random.generateTraceId();
  }

  generateSpanId(): string {
    return this.#spanId ?? this.#random.generateSpanId();
  }
}
