/** A platform to send bad input to. Registers its start, its stop, and what must hold after every test. */
import { randomUUID } from 'node:crypto';
import type { DescMethod, JsonObject } from '@bufbuild/protobuf';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from '@jest/globals';
import pg from 'pg';
import { AccountCommandService } from '../../../gen/quittance/command/v1/account_command_service_pb.js';
import { LedgerCommandService } from '../../../gen/quittance/command/v1/ledger_command_service_pb.js';
import { TransactionCommandService } from '../../../gen/quittance/command/v1/transaction_command_service_pb.js';
import { ErrorReason } from '../../../gen/quittance/common/v1/error_reason_pb.js';
import { LedgerService } from '../../../gen/quittance/ops/v1/ledger_service_pb.js';
import { ProjectionService } from '../../../gen/quittance/ops/v1/projection_service_pb.js';
import { LedgerQueryService } from '../../../gen/quittance/query/v1/ledger_query_service_pb.js';
import { ERROR_CATALOGUE } from '../../../lib/rpc/error-catalogue.js';
import { patientClient, untilEveryViewHas } from '../../../test/load.js';
import { CALL_PATIENCE_MS } from '../../../test/patience.js';
import { LEDGER } from './bad-input-requests.js';
import { startPlatform, type TestPlatform } from './platform.js';
import { type Outcome, type RawClient, rawClient, type Wire, WIRES } from './raw-client.js';

/** What tests see of it. The getters throw before the platform has started. */
export interface BadInput {
  readonly platform: TestPlatform;
  readonly raw: RawClient;
  /** The token of the deposit that alice's account began with. */
  readonly consistencyToken: string;
  /** The request id of that deposit. */
  readonly depositId: string;
  /** The position of the log's end before the test. */
  readonly headBefore: string;
  /** The position of the log's end now. */
  head(): Promise<string>;
  /** The log ends where it did before the test. */
  expectUnchanged(): Promise<void>;
  /** The call is refused for this reason over each wire, and the log is as before. */
  refused(
    method: DescMethod,
    json: JsonObject,
    reason: keyof typeof ErrorReason,
    wires?: readonly Wire[],
  ): Promise<void>;
  accepted(method: DescMethod, json: JsonObject, wires?: readonly Wire[]): Promise<void>;
}

/** Every event that was committed when the read arrived. */
const COMPLETE = { requirement: { case: 'fullyConsistent' as const, value: true } };

interface Started extends Books {
  readonly platform: TestPlatform;
  readonly raw: RawClient;
  readonly database: pg.Pool;
}

/** Call it once, at the top of a test file. */
export function badInput(): BadInput {
  let platform: TestPlatform | undefined;
  let running: Started | undefined;
  let headBefore = '';
  const started = (): Started => {
    if (running === undefined) throw new Error('the platform has not started');
    return running;
  };
  const head = async () => {
    const { rows } = await started().database.query<{ end: string }>(
      'select max(last)::text as end from log.flushes',
    );
    return rows[0]?.end ?? '';
  };
  const expectUnchanged = async () => {
    expect(await head()).toBe(headBefore);
  };
  beforeAll(async () => {
    platform = await startPlatform();
    running = {
      platform,
      raw: rawClient(platform.grpcAddress, platform.connectUrl),
      database: new pg.Pool({ ...platform.database.config, max: 1 }),
      ...(await openAccounts(platform)),
    };
  });
  beforeEach(async () => {
    headBefore = await head();
  });
  afterEach(async () => {
    // It still answers, with the right ledger, and its history still follows the log.
    const { getLedger } = started().platform.grpc(LedgerQueryService);
    expect(await getLedger({ ledgerId: LEDGER, consistency: COMPLETE })).toMatchObject({
      ledger: { ledgerId: LEDGER },
    });
  });
  afterAll(async () => {
    running?.raw.close();
    await running?.database.end();
    await platform?.stop();
  });
  return {
    get platform() {
      return started().platform;
    },
    get raw() {
      return started().raw;
    },
    get consistencyToken() {
      return started().consistencyToken;
    },
    get depositId() {
      return started().depositId;
    },
    get headBefore() {
      return headBefore;
    },
    head,
    expectUnchanged,
    refused: async (method, json, reason, wires = WIRES) => {
      for (const wire of wires) {
        const about = `${wire} ${method.name} ${JSON.stringify(json).slice(0, 300)}`;
        expectError(await started().raw.json(wire, method, json), reason, about);
      }
      await expectUnchanged();
    },
    accepted: async (method, json, wires = WIRES) => {
      for (const wire of wires) {
        const outcome = await started().raw.json(wire, method, json, { timeout_ms: CALL_PATIENCE_MS });
        expect([wire, outcome]).toMatchObject([wire, { code: 0 }]);
      }
    },
  };
}

/** What a platform holds before the tests. */
interface Books {
  readonly consistencyToken: string;
  readonly depositId: string;
}

/** Opens the accounts that the requests name. Resolves when every view has them. */
export async function openAccounts(platform: TestPlatform): Promise<Books> {
  const accounts = platform.grpc(AccountCommandService);
  await platform.grpc(LedgerCommandService).createLedger({ ledgerId: LEDGER, requestId: randomUUID() });
  for (const accountId of ['alice', 'bob', 'carol']) {
    await accounts.openAccount({ ledgerId: LEDGER, requestId: randomUUID(), accountId, currency: 'EUR' });
  }
  const depositId = randomUUID();
  const { consistencyToken } = await platform.grpc(TransactionCommandService).deposit({
    ledgerId: LEDGER,
    requestId: depositId,
    accountId: 'alice',
    amount: { currency: 'EUR', minorUnits: 1_000_000n },
  });
  const client = patientClient(platform.grpcAddress);
  await untilEveryViewHas(client, LEDGER).finally(() => {
    client.close();
  });
  return { consistencyToken, depositId };
}

/** Texts of our inside, which no error may show. */
const INSIDE =
  /\bat .+\.[cm]?[jt]s:\d|node_modules|insert into|SQLSTATE|invalid byte sequence|ECONN|duplicate key|syntax error|relation "|violates|protobuf-es|RangeError|TypeError|out of range for type/i;

/** One documented error, with its code of the catalogue, and nothing of our inside. */
export function expectError(outcome: Outcome, reason: keyof typeof ErrorReason, wire: string): void {
  expect([wire, outcome.reasons, outcome.message]).toEqual([
    wire,
    [`quittance/${reason}`],
    expect.any(String),
  ]);
  expect(outcome.message).not.toBe('');
  expect(outcome.code).toBe(ERROR_CATALOGUE[ErrorReason[reason]].code);
  expect(outcome.text).not.toMatch(INSIDE);
}

/** The last test of each file: the books are right after all that was sent. */
export function provesTheBooks(target: BadInput): void {
  test('after all this the books are proved', async () => {
    const messages = [];
    for await (const { event } of target.platform.grpc(LedgerService).verifyLedger({ ledgerId: LEDGER }))
      messages.push(event);
    expect(messages.filter(({ case: name }) => name === 'finding')).toEqual([]);
    expect(messages.at(-1)).toMatchObject({ case: 'verdict', value: { ok: true } });
    const { projections } = await target.platform.connect(ProjectionService).listProjections({});
    expect(projections.map(({ failure }) => failure)).toEqual(['', '', '']);
  });
}
