/** What the environment says of traces, by the variables of OpenTelemetry's own specification. Off unless they name an exporter. */
import { bad, choiceOf, type Environment, valueOf, wholeOf } from './environment.js';

/** Which traces are recorded. */
export interface SamplingConfig {
  /** Of traces that no caller has begun: from 0, none, to 1, all; chosen by the trace id. */
  readonly ratio: number;
  /** Whether a caller who has begun a trace says whether it is recorded. */
  readonly isParentBased: boolean;
}

/** Traces are on. */
export interface TracingConfig {
  /** Where they are sent, by OTLP in protobuf over HTTP. */
  readonly url: string;
  /** What the process calls itself; undefined: by its kind. */
  readonly serviceName: string | undefined;
  readonly sampling: SamplingConfig;
  /** How long spans are gathered before they are sent, milliseconds. */
  readonly delay_ms: number;
}

const DEFAULT_ENDPOINT = 'http://localhost:4318';
const DELAYS = { least: 1, most: 600_000, what: 'milliseconds, 1 to 600000' };
const PROTOCOL = 'http/protobuf';
const SAMPLERS = ['always_on', 'always_off', 'traceidratio'] as const;
const PARENT_BASED = ['parentbased_always_on', 'parentbased_always_off', 'parentbased_traceidratio'] as const;

/**
 * Undefined: traces are off. They are on where OTEL_TRACES_EXPORTER is otlp, or where an endpoint of OTLP is named. Headers,
 * timeouts and the size of batches are read by OpenTelemetry's own library.
 * @throws StartError naming the variable, its value and what is allowed
 */
export function readTracing(env: Environment): TracingConfig | undefined {
  const own = valueOf(env, 'OTEL_EXPORTER_OTLP_TRACES_ENDPOINT');
  const shared = valueOf(env, 'OTEL_EXPORTER_OTLP_ENDPOINT');
  const isNamed = own !== undefined || shared !== undefined;
  const exporter = choiceOf(env, 'OTEL_TRACES_EXPORTER', ['otlp', 'none'], isNamed ? 'otlp' : 'none');
  if (exporter === 'none' || valueOf(env, 'OTEL_SDK_DISABLED')?.toLowerCase() === 'true') return undefined;
  for (const name of ['OTEL_EXPORTER_OTLP_PROTOCOL', 'OTEL_EXPORTER_OTLP_TRACES_PROTOCOL']) {
    choiceOf(env, name, [PROTOCOL], PROTOCOL);
  }
  const url = own ?? `${(shared ?? DEFAULT_ENDPOINT).replace(/\/$/, '')}/v1/traces`;
  if (!URL.canParse(url) || !/^https?:$/.test(new URL(url).protocol)) {
    throw bad(
      own === undefined ? 'OTEL_EXPORTER_OTLP_ENDPOINT' : 'OTEL_EXPORTER_OTLP_TRACES_ENDPOINT',
      url,
      'an http or https URL',
    );
  }
  return {
    url,
    serviceName: valueOf(env, 'OTEL_SERVICE_NAME'),
    sampling: samplingOf(env),
    delay_ms: wholeOf(env, 'OTEL_BSP_SCHEDULE_DELAY', 5_000, DELAYS),
  };
}

function samplingOf(env: Environment): SamplingConfig {
  const name = choiceOf(env, 'OTEL_TRACES_SAMPLER', [...SAMPLERS, ...PARENT_BASED], 'parentbased_always_on');
  const isParentBased = name.startsWith('parentbased_');
  if (name.endsWith('always_on')) return { ratio: 1, isParentBased };
  if (name.endsWith('always_off')) return { ratio: 0, isParentBased };
  const text = valueOf(env, 'OTEL_TRACES_SAMPLER_ARG') ?? '1';
  const ratio = Number(text);
  if (!/^\d*\.?\d+$/.test(text) || ratio > 1)
    throw bad('OTEL_TRACES_SAMPLER_ARG', text, 'a number from 0 to 1');
  return { ratio, isParentBased };
}
