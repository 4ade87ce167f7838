/** GetSystem of the embedded process, over both doors. What a process of the stack says is tried in tools/stack. */
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { LedgerCommandService } from '../../../gen/quittance/command/v1/ledger_command_service_pb.js';
import { ProjectionState } from '../../../gen/quittance/ops/v1/projection_service_pb.js';
import { SystemMode, SystemService } from '../../../gen/quittance/ops/v1/system_service_pb.js';
import { LedgerQueryService } from '../../../gen/quittance/query/v1/ledger_query_service_pb.js';
import { versionOf } from '../../../lib/process/version.js';
import { startPlatform, type TestPlatform } from './platform.js';

const FRESH = { requirement: { case: 'fullyConsistent' as const, value: true } };
const LIMITS = { commandsPerCaller: 5_000, commandsPerLedger: 0, queriesPerCaller: 7_000 };

let platform: TestPlatform;

beforeAll(async () => {
  platform = await startPlatform({ limits: LIMITS });
});

afterAll(async () => {
  await platform.stop();
});

test.each(['grpc', 'connect'] as const)(
  'the process says what it is and how it stands, over %s',
  async (door) => {
    const ledgerId = `system-${door}`;
    const { createLedger } = platform[door](LedgerCommandService);
    const { position } = await createLedger({ ledgerId, requestId: randomUUID() });
    await platform[door](LedgerQueryService).getLedger({ ledgerId, consistency: FRESH });
    const system = await platform[door](SystemService).getSystem({});
    expect(system).toMatchObject({
      version: versionOf(),
      mode: SystemMode.EMBEDDED,
      process: 'standalone',
      addresses: { grpc: platform.grpcAddress, connect: platform.connectUrl, console: '' },
      limits: {
        messageBytes: 4_194_304n,
        streams: 1_000,
        streamsPerConnection: 250,
        unaryTime: { seconds: 60n },
        callerCommandsPerSecond: 5_000,
        ledgerCommandsPerSecond: 0,
        callerQueriesPerSecond: 7_000,
      },
      authentication: { required: false, issuer: '', audience: '', tls: false, clientCertificates: false },
      log: { epoch: 0, position },
      queue: { deciding: true, commands: 0n, commandsMax: 10_000n, tailEventsMax: 100_000n },
    });
    expect(system.services).toEqual(
      expect.arrayContaining([
        'quittance.command.v1.TransactionCommandService',
        'quittance.query.v1.ReportQueryService',
        'quittance.ops.v1.SystemService',
        'grpc.health.v1.Health',
      ]),
    );
    expect(system.log?.recordedTime).toBeDefined();
    expect(system.views.map(({ projectionId, state }) => [projectionId, state])).toEqual(
      ['balances', 'history', 'reports'].map((id) => [id, ProjectionState.RUNNING]),
    );
    expect(system.views[1]?.position).toBeGreaterThanOrEqual(position);
    // Embedded there is neither a lease nor a relay.
    expect([system.lease, system.relay]).toEqual([undefined, undefined]);
  },
);
