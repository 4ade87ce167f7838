import { expect, test } from '@jest/globals';
import { StartError } from './start-error.js';
import { readTracing } from './tracing-config.js';

test('traces are off unless an exporter or an endpoint is named', () => {
  expect(readTracing({})).toBeUndefined();
  expect(readTracing({ OTEL_SERVICE_NAME: 'books', OTEL_TRACES_SAMPLER: 'always_on' })).toBeUndefined();
  expect(readTracing({ OTEL_TRACES_EXPORTER: 'otlp' })?.url).toBe('http://localhost:4318/v1/traces');
});

test.each([
  { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://collector:4318', OTEL_TRACES_EXPORTER: 'none' },
  { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://collector:4318', OTEL_SDK_DISABLED: 'true' },
])('an endpoint alone does not turn on what is turned off: %j', (env) => {
  expect(readTracing(env)).toBeUndefined();
});

test('the endpoint of traces is taken as it is, the shared one with the path of traces', () => {
  const shared = { OTEL_EXPORTER_OTLP_ENDPOINT: 'https://collector:4318/' };
  expect(readTracing(shared)?.url).toBe('https://collector:4318/v1/traces');
  const own = { ...shared, OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'http://other:1/in' };
  expect(readTracing(own)?.url).toBe('http://other:1/in');
});

test.each([
  ['always_on', undefined, { ratio: 1, isParentBased: false }],
  ['always_off', undefined, { ratio: 0, isParentBased: false }],
  ['traceidratio', '0.25', { ratio: 0.25, isParentBased: false }],
  ['parentbased_traceidratio', undefined, { ratio: 1, isParentBased: true }],
  ['parentbased_always_off', '0.5', { ratio: 0, isParentBased: true }],
  [undefined, undefined, { ratio: 1, isParentBased: true }],
])('the sampler %s with %s is read as OpenTelemetry means it', (sampler, argument, sampling) => {
  const env = {
    OTEL_TRACES_EXPORTER: 'otlp',
    OTEL_TRACES_SAMPLER: sampler,
    OTEL_TRACES_SAMPLER_ARG: argument,
  };
  expect(readTracing(env)?.sampling).toEqual(sampling);
});

test.each([
  ['OTEL_TRACES_EXPORTER', 'jaeger'],
  ['OTEL_EXPORTER_OTLP_PROTOCOL', 'grpc'],
  ['OTEL_EXPORTER_OTLP_ENDPOINT', 'collector:4318'],
  ['OTEL_TRACES_SAMPLER', 'sometimes'],
  ['OTEL_TRACES_SAMPLER_ARG', '1.5'],
  ['OTEL_BSP_SCHEDULE_DELAY', 'soon'],
])('%s=%s ends the start with one line that names it', (name, value) => {
  const env = { OTEL_TRACES_EXPORTER: 'otlp', OTEL_TRACES_SAMPLER: 'traceidratio', [name]: value };
  expect(() => readTracing(env)).toThrow(StartError);
  expect(() => readTracing(env)).toThrow(name);
});
