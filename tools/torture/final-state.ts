/** What a torture run leaves: waits until every view has all of the log, then reads log and balances, and asks for the proof. */
import { status } from '@grpc/grpc-js';
import { AccountQueryService } from '../../gen/quittance/query/v1/account_query_service_pb.js';
import { EventQueryService, type EventRecord } from '../../gen/quittance/query/v1/event_query_service_pb.js';
import type { AccountState, Event } from '../../gen/quittance/event/v1/event_pb.js';
import { LedgerService, VerifySubject } from '../../gen/quittance/ops/v1/ledger_service_pb.js';
import {
  type Projection,
  ProjectionService,
  ProjectionState,
} from '../../gen/quittance/ops/v1/projection_service_pb.js';
import { pause } from '../../lib/base/pause.js';
import { uuidFromBytes } from '../../lib/base/uuid.js';
import { type GrpcClient, grpcClient } from '../client/grpc-client.js';
import { LEDGER } from './callers.js';
import type { AccountFacts, LoggedEvent } from './history.js';
import type { Subject } from './subject.js';

const FRESH = { requirement: { case: 'fullyConsistent' as const, value: true } };
const PAGE = 1_000;
const CALL_MS = 30_000;
const PROOF_MS = 300_000;
const ASK_MS = 50;
const RETRY_MS = 500;
const ASK_LIMIT_MS = 2_000;
const WHOLE_LIMIT_MS = 300_000;

/** @returns milliseconds until no view was behind. @throws Error if one stays behind for five minutes */
export async function untilWhole(subject: Subject): Promise<number> {
  const whole_ms = await untilViews(subject, ({ lagEvents }) => lagEvents === 0n, WHOLE_LIMIT_MS);
  if (whole_ms === undefined) throw new Error('the views do not catch up');
  return whole_ms;
}

/** @returns milliseconds until every view has this position; undefined if the signal aborts before */
export function untilAllHave(
  subject: Subject,
  position: bigint,
  signal: AbortSignal,
): Promise<number | undefined> {
  return untilViews(subject, (view) => view.position >= position, WHOLE_LIMIT_MS, signal);
}

/** @returns milliseconds until it holds for every view, and each of them runs; undefined if it does not within the limit */
async function untilViews(
  { projectors }: Subject,
  holds: (view: Projection) => boolean,
  limit_ms: number,
  signal?: AbortSignal,
): Promise<number | undefined> {
  const clients = projectors.map((address) => grpcClient(address));
  const began_ms = performance.now();
  try {
    for (let turn = 0; performance.now() - began_ms < limit_ms; turn += 1) {
      // One of them may be away, and any of them tells of all.
      const found = await clients[turn % clients.length]
        ?.unary(ProjectionService.method.listProjections, {}, ASK_LIMIT_MS)
        .catch(() => undefined);
      const isWhole = found?.projections.every(
        (view) => view.state === ProjectionState.RUNNING && holds(view),
      );
      if (isWhole === true) return performance.now() - began_ms;
      if (signal?.aborted === true) return undefined;
      await pause(ASK_MS);
    }
    return undefined;
  } finally {
    for (const client of clients) client.close();
  }
}

/** All events of the ledger. */
export async function readLog({ queries: [address = ''] }: Subject): Promise<readonly LoggedEvent[]> {
  const client = grpcClient(address);
  const events: LoggedEvent[] = [];
  try {
    for (let pageToken = ''; ;) {
      const request = { ledgerId: LEDGER, pageSize: PAGE, pageToken };
      const page = await client.unary(EventQueryService.method.listEvents, request, CALL_MS);
      events.push(...page.events.map(loggedEvent));
      pageToken = page.nextPageToken;
      if (pageToken === '') return events;
    }
  } finally {
    client.close();
  }
}

/** The balances of all accounts that the log knows, as the view has them. */
export async function readBalances(
  { queries: [address = ''] }: Subject,
  log: readonly LoggedEvent[],
): Promise<ReadonlyMap<string, AccountFacts>> {
  const client = grpcClient(address);
  const accountIds = [...new Set(log.flatMap(({ accounts }) => [...accounts.keys()]))];
  try {
    const request = { ledgerId: LEDGER, accountIds, consistency: FRESH };
    const { balances } = await client.unary(AccountQueryService.method.batchGetBalances, request, CALL_MS);
    return new Map(
      balances.map(({ accountId, credits, debits, held = 0n, version }) => [
        accountId,
        { credits, debits, held, version },
      ]),
    );
  } finally {
    client.close();
  }
}

/** VerifyLedger's findings, none if the books are proved. */
export async function prove({ projectors: [address = ''] }: Subject): Promise<readonly string[]> {
  const client = grpcClient(address);
  try {
    for (const end_ms = performance.now() + WHOLE_LIMIT_MS; ;) {
      try {
        return await findingsOf(client);
      } catch (error) {
        // A connection that a fault has left dead is found out by the first call over it: the caller is to try again.
        if (!isUnavailable(error) || performance.now() > end_ms) throw error;
        await pause(RETRY_MS);
      }
    }
  } finally {
    client.close();
  }
}

function isUnavailable(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === status.UNAVAILABLE;
}

async function findingsOf(client: GrpcClient): Promise<readonly string[]> {
  const findings: string[] = [];
  const proof = client.serverStream(LedgerService.method.verifyLedger, { ledgerId: LEDGER }, PROOF_MS);
  for await (const { event } of proof) {
    if (event.case === 'finding') {
      const { subject, position, entity, expected, actual } = event.value;
      const about = `${VerifySubject[subject]} ${entity} at position ${String(position)}`;
      findings.push(`VerifyLedger: ${about}: expected ${expected}, found ${actual}`);
    }
    if (event.case === 'verdict') return event.value.ok ? findings : [...findings, 'VerifyLedger: not ok'];
  }
  return ['VerifyLedger ended without a verdict'];
}

function loggedEvent({ event }: EventRecord): LoggedEvent {
  if (event === undefined) throw new Error('a record of the log holds its event');
  return {
    position: event.position,
    requestId: event.requestId.length === 0 ? '' : uuidFromBytes(event.requestId),
    ordinal: event.ordinal,
    declined: event.payload.case === 'transactionDeclined',
    accounts: new Map(
      accountsOf(event).map(({ accountId, credits, debits, held, version }) => [
        accountId,
        { credits, debits, held, version },
      ]),
    ),
  };
}

function accountsOf({ payload }: Event): readonly AccountState[] {
  const { value } = payload;
  if (value === undefined) return [];
  if ('accounts' in value) return value.accounts;
  return 'account' in value && value.account !== undefined ? [value.account] : [];
}
