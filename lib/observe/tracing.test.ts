import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type OtlpReceiver, startOtlpReceiver } from '../../test/otlp-receiver.js';
import type { SamplingConfig } from '../base/tracing-config.js';
import { openTracer, spanPointOf, spanPointOfEvent } from './tracing.js';

const TRACE = '0af7651916cd43dd8448eb211c80319c';
const SPAN = 'b7ad6b7169203331';

describe('a traceparent header', () => {
  test.each([
    [`00-${TRACE}-${SPAN}-01`, true],
    [`00-${TRACE}-${SPAN}-00`, false],
    [`cc-${TRACE}-${SPAN}-03-what-will-be`, true],
  ])('%s names a span', (header, isSampled) => {
    expect(spanPointOf(header)).toEqual({ traceId: TRACE, spanId: SPAN, isSampled });
  });

  test.each([
    undefined,
    '',
    `ff-${TRACE}-${SPAN}-01`,
    `00-${'0'.repeat(32)}-${SPAN}-01`,
    `00-${TRACE}-${'0'.repeat(16)}-01`,
    `00-${TRACE.toUpperCase()}-${SPAN}-01`,
    `00-${TRACE}-${SPAN}-01x`,
  ])('%s names none', (header) => {
    expect(spanPointOf(header)).toBeUndefined();
  });
});

test('the span of an event is the beginning of its hash; an event without a trace has none', () => {
  const hash = Buffer.from(`${SPAN}${'ee'.repeat(24)}`, 'hex');
  for (const isSampled of [true, false]) {
    const point = spanPointOfEvent({ traceId: Buffer.from(TRACE, 'hex'), traceSampled: isSampled }, hash);
    expect(point).toEqual({ traceId: TRACE, spanId: SPAN, isSampled });
  }
  expect(spanPointOfEvent({ traceId: new Uint8Array(0), traceSampled: true }, hash)).toBeUndefined();
});

describe('a tracer', () => {
  let receiver: OtlpReceiver;

  beforeAll(async () => {
    receiver = await startOtlpReceiver();
  });

  afterAll(async () => {
    await receiver.stop();
  });

  const open = async (sampling: SamplingConfig, url = receiver.url) => {
    const tracer = await openTracer(
      { url, serviceName: undefined, sampling, delay_ms: 60_000 },
      'books',
      '1.0',
    );
    if (tracer === undefined) throw new Error('traces are on');
    return tracer;
  };

  test('sends at its end what it has recorded, with the ids that it was told', async () => {
    const tracer = await open({ ratio: 1, isParentBased: true });
    const parent = { traceId: TRACE, spanId: SPAN, isSampled: true };
    tracer.start({ name: 'told', kind: 'internal', parent, spanId: 'c0ffee0000000001' })?.end();
    const begun = tracer.start({ name: 'begun', kind: 'server', traceId: 'ab'.repeat(16) });
    begun?.failed('QUEUE_FULL');
    begun?.end();
    await tracer.close();
    const [told, own] = ['told', 'begun'].map((name) => receiver.spans.find((span) => span.name === name));
    expect(told).toMatchObject({
      traceId: TRACE,
      spanId: 'c0ffee0000000001',
      parentSpanId: SPAN,
      service: 'books',
    });
    expect(own).toMatchObject({ traceId: 'ab'.repeat(16), parentSpanId: '' });
    expect(own?.attributes).toMatchObject({ 'error.type': 'QUEUE_FULL' });
  });

  test('records by the caller where it says so, and of an event by the trace id alone', async () => {
    const none = await open({ ratio: 0, isParentBased: true });
    const point = { traceId: TRACE, spanId: SPAN };
    expect(none.start({ name: 'a', kind: 'server', parent: { ...point, isSampled: true } })).toBeDefined();
    expect(none.start({ name: 'a', kind: 'server' })).toBeUndefined();
    await none.close();
    const all = await open({ ratio: 1, isParentBased: true });
    expect(all.start({ name: 'a', kind: 'server', parent: { ...point, isSampled: false } })).toBeUndefined();
    await all.close();
  });

  test('ends also where nothing takes what it sends', async () => {
    const gone = await startOtlpReceiver();
    await gone.stop();
    process.env['OTEL_EXPORTER_OTLP_TIMEOUT'] = '200';
    const tracer = await open({ ratio: 1, isParentBased: true }, gone.url);
    tracer.start({ name: 'a', kind: 'internal' })?.end();
    delete process.env['OTEL_EXPORTER_OTLP_TIMEOUT'];
    await expect(tracer.close()).resolves.toBeUndefined();
  });

  test('there is none where traces are off', async () => {
    expect(await openTracer(undefined, 'books', '1.0')).toBeUndefined();
  });
});
