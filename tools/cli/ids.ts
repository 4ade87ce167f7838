/** Ids that begin as what was typed does, for completion: few at a time, and asked of the server at most once in a while. */
import { join } from 'node:path';
import { ScheduleService } from '../../gen/quittance/command/v1/schedule_service_pb.js';
import { WebhookService } from '../../gen/quittance/ops/v1/webhook_service_pb.js';
import { AccountQueryService } from '../../gen/quittance/query/v1/account_query_service_pb.js';
import { LedgerQueryService } from '../../gen/quittance/query/v1/ledger_query_service_pb.js';
import { TransactionQueryService } from '../../gen/quittance/query/v1/transaction_query_service_pb.js';
import { valueOf } from '../../lib/base/environment.js';
import type { IdKind } from './flags.js';
import { keptEntries } from './kept-entries.js';
import type { Session } from './session.js';

/** More than that help no one who looks for one. */
export const IDS_MOST = 50;
/** Transactions and payments are found among the last ones only. */
const LAST_LOOKED_AT = 200;
/** A second press of the tab key asks no server. */
const GOOD_FOR_MICROS = 10_000_000n;
const KEPT = 100;
const MONTHS_OFFERED = 12;
const MICROS_PER_MS = 1_000n;

/** At most 50. @throws the error of the call */
export async function idsOf(session: Session, kind: IdKind, begun: string): Promise<readonly string[]> {
  const { env, home, now } = session.io;
  const folder = valueOf(env, 'XDG_CACHE_HOME') ?? join(home, '.cache');
  const cache = keptEntries(join(folder, 'quittance', 'ids.json'), KEPT);
  const key = [session.settings.queryAddress, session.settings.ledger ?? '', kind, begun].join(' ');
  const kept = freshOf(cache.get(key), now());
  if (kept !== undefined) return kept;
  const ids = (await fetched(session, kind, begun)).slice(0, IDS_MOST);
  cache.set(key, [String(now()), ...ids].join(' '));
  return ids;
}

/** An entry is the time of the answer and its ids: none of them holds a space. */
function freshOf(entry: string | undefined, now: bigint): readonly string[] | undefined {
  const [time = '', ...ids] = entry?.split(' ') ?? [];
  if (!/^\d{1,18}$/.test(time)) return undefined;
  const age = now - BigInt(time);
  return age >= 0n && age < GOOD_FOR_MICROS ? ids : undefined;
}

async function fetched(session: Session, kind: IdKind, begun: string): Promise<readonly string[]> {
  switch (kind) {
    case 'ledger': {
      const { ledgers } = await session.read(LedgerQueryService.method.listLedgers, (consistency) => ({
        consistency,
        ledgerIdPrefix: begun,
        pageSize: IDS_MOST,
      }));
      return ledgers.map(({ ledgerId }) => ledgerId);
    }
    case 'account': {
      const { ledger: ledgerId } = session;
      const { accounts } = await session.read(AccountQueryService.method.listAccounts, (consistency) => ({
        ledgerId,
        consistency,
        accountIdPrefix: begun,
        pageSize: IDS_MOST,
      }));
      return accounts.map(({ accountId }) => accountId);
    }
    case 'webhook': {
      const request = { ledgerId: session.ledger };
      const { webhooks } = await session.call('ops', WebhookService.method.listWebhooks, request);
      return webhooks.map(({ webhookId }) => webhookId).filter((id) => id.startsWith(begun));
    }
    case 'schedule': {
      const request = { ledgerId: session.ledger, pageSize: LAST_LOOKED_AT };
      const { schedules } = await session.call('command', ScheduleService.method.listSchedules, request);
      return schedules.map(({ scheduleId }) => scheduleId).filter((id) => id.startsWith(begun));
    }
    case 'explained':
      return [
        ...(await fetched(session, 'account', begun)),
        ...(await fetched(session, 'transaction', begun)),
      ];
    case 'month-end':
      return monthEndsBefore(session.io.now()).filter((day) => day.startsWith(begun));
    case 'transaction':
    case 'payment': {
      const last = await lastOf(session);
      const ids = last.map(({ transactionId, payment }) =>
        kind === 'payment' ? (payment?.paymentId ?? '') : transactionId,
      );
      return [...new Set(ids)].filter((id) => id !== '' && id.startsWith(begun));
    }
  }
}

/** The last days of the months before this one, in UTC, the latest first. */
function monthEndsBefore(nowMicros: bigint): readonly string[] {
  const now = new Date(Number(nowMicros / MICROS_PER_MS));
  return Array.from({ length: MONTHS_OFFERED }, (_, months) =>
    new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth() - months, 0)).toISOString().slice(0, 10),
  );
}

async function lastOf(session: Session) {
  const { ledger: ledgerId } = session;
  const { transactions } = await session.read(
    TransactionQueryService.method.listTransactions,
    (consistency) => ({ ledgerId, consistency, descending: true, pageSize: LAST_LOOKED_AT }),
  );
  return transactions;
}
