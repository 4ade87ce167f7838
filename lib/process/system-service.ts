/** quittance.ops.v1.SystemService: what a process says of itself, of its doors and of how it stands. */
import type { MessageInitShape } from '@bufbuild/protobuf';
import {
  type SystemAddressesSchema,
  type SystemAuthenticationSchema,
  type SystemLeaseSchema,
  type SystemLimitsSchema,
  type SystemLogSchema,
  type SystemMode,
  type SystemQueueSchema,
  type SystemRelaySchema,
  SystemService,
  type SystemViewSchema,
} from '../../gen/quittance/ops/v1/system_service_pb.js';
import type { DoorsConfig } from '../base/doors-config.js';
import { pause } from '../base/pause.js';
import { durationOf, systemClock, timestampOf } from '../base/time.js';
import { DEFAULT_CHAIN_LIMITS } from '../rpc/chain.js';
import { MESSAGE_MAX_BYTES } from '../rpc/decode.js';
import { implement, type Service } from '../rpc/service.js';
import { versionOf } from './version.js';

/** What the composition of a process knows beside its doors; each figure is read when it is asked for. */
export interface SystemFacts {
  readonly mode: SystemMode;
  /** `standalone`, `command`, `projector` or `query`. */
  readonly process: string;
  /** The end of the log. */
  log(): Promise<MessageInitShape<typeof SystemLogSchema>>;
  /** Absent in a process that takes no commands. */
  readonly queue?: () => MessageInitShape<typeof SystemQueueSchema>;
  /** Absent where no second process can decide. */
  readonly lease?: () => MessageInitShape<typeof SystemLeaseSchema>;
  /** Undefined where the relay does not run. */
  readonly relay?: () => Promise<MessageInitShape<typeof SystemRelaySchema> | undefined>;
  /** The read models that it keeps or reads. */
  readonly views?: () => Promise<readonly MessageInitShape<typeof SystemViewSchema>[]>;
}

/** The end of the log, as the answer has it. */
export function systemLogOf(end: {
  readonly epoch: number;
  readonly position: bigint;
  /** UTC microseconds. */
  readonly recordedTime: bigint;
}): MessageInitShape<typeof SystemLogSchema> {
  const { epoch, position, recordedTime } = end;
  return { epoch, position, recordedTime: timestampOf(recordedTime) };
}

/** What does not answer within this time is left out of the answer. */
const PART_LIMIT_MS = 2_000;

/**
 * The service.
 * @param others what the process answers beside it
 * @param addresses undefined until both doors are open
 */
export function systemService(
  config: DoorsConfig,
  facts: SystemFacts,
  others: readonly Service[],
  addresses: () => MessageInitShape<typeof SystemAddressesSchema> | undefined,
): Service {
  const startTime = timestampOf(systemClock());
  const setUp = {
    version: versionOf(),
    mode: facts.mode,
    process: facts.process,
    startTime,
    services: [...others.map(({ desc }) => desc.typeName), SystemService.typeName],
    limits: limitsOf(config),
    authentication: authenticationOf(config),
  };
  return implement(SystemService, {
    getSystem: async () => {
      const [log, relay, views] = await Promise.all([
        unlessLate(facts.log()),
        unlessLate(facts.relay?.()),
        unlessLate(facts.views?.()),
      ]);
      return {
        ...setUp,
        addresses: addresses(),
        log,
        queue: facts.queue?.(),
        lease: facts.lease?.(),
        relay,
        views: [...(views ?? [])],
      };
    },
  });
}

/** What is read; undefined if that fails or takes too long. */
async function unlessLate<T>(reading: Promise<T> | undefined): Promise<T | undefined> {
  const answered = new AbortController();
  const late = pause(PART_LIMIT_MS, answered.signal).then(() => undefined);
  try {
    return await Promise.race([reading, late]);
  } catch {
    return undefined;
  } finally {
    answered.abort();
  }
}

function limitsOf({ limits }: DoorsConfig): MessageInitShape<typeof SystemLimitsSchema> {
  const { unaryLimit_ms, streamLimit, streamsPerConnection } = DEFAULT_CHAIN_LIMITS;
  return {
    messageBytes: BigInt(MESSAGE_MAX_BYTES),
    streams: streamLimit,
    streamsPerConnection,
    unaryTime: durationOf(BigInt(unaryLimit_ms) * 1_000n),
    callerCommandsPerSecond: limits?.commandsPerCaller ?? 0,
    ledgerCommandsPerSecond: limits?.commandsPerLedger ?? 0,
    callerQueriesPerSecond: limits?.queriesPerCaller ?? 0,
  };
}

function authenticationOf({ auth, tls }: DoorsConfig): MessageInitShape<typeof SystemAuthenticationSchema> {
  return {
    required: auth !== undefined,
    issuer: auth?.issuer?.issuer ?? '',
    audience: auth?.issuer?.audience ?? '',
    tls: tls !== undefined,
    clientCertificates: tls?.clientCaPath !== undefined,
  };
}
