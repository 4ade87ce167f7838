/** ScheduleService: GetSchedule, ListSchedules and ListScheduleRuns. */
import {
  ListScheduleRunsRequestSchema,
  ListSchedulesRequestSchema,
  type ScheduleService,
} from '../../../../gen/quittance/command/v1/schedule_service_pb.js';
import { ledgerNotFound } from '../../../../lib/rpc/ledger-not-found.js';
import type { MethodFunction } from '../../../../lib/rpc/service.js';
import { decodePageToken, encodePageToken, queryFingerprint } from '../../../../lib/rpc/tokens.js';
import { foundSchedule, type ScheduleContext } from './context.js';
import { runMessage, scheduleMessage, stateOf } from './schedule-message.js';

type Methods = (typeof ScheduleService)['method'];

const DEFAULT_PAGE_SIZE = 50;
/** No event is named by the tokens of these lists. */
const NO_POINT = { epoch: 0, position: 0n, hash: new Uint8Array(32), recordedTime: 0n };

export function getSchedule(context: ScheduleContext): MethodFunction<Methods['getSchedule']> {
  return async (request) => ({ schedule: scheduleMessage(await foundSchedule(context, request)) });
}

export function listSchedules(context: ScheduleContext): MethodFunction<Methods['listSchedules']> {
  return async (request) => {
    const { ledgerId, pageSize, pageToken, state, accountId } = request;
    const fingerprint = queryFingerprint(ListSchedulesRequestSchema, request);
    const page = pageToken === '' ? undefined : decodePageToken(pageToken, fingerprint, ['string']);
    const { schedules, next } = await context.store.list({
      ledgerId,
      after: page?.cursor[0] ?? '',
      limit: pageSize === 0 ? DEFAULT_PAGE_SIZE : pageSize,
      state: stateOf(state),
      accountId: accountId === '' ? undefined : accountId,
    });
    if (schedules.length === 0 && page === undefined) await requireLedger(context, ledgerId);
    const shown = schedules.map(scheduleMessage);
    if (next === undefined) return { schedules: shown };
    const nextPageToken = encodePageToken({ ...context.log, ...NO_POINT, fingerprint, cursor: [next] });
    return { schedules: shown, nextPageToken };
  };
}

export function listScheduleRuns(context: ScheduleContext): MethodFunction<Methods['listScheduleRuns']> {
  return async (request) => {
    const { pageSize, pageToken } = request;
    const fingerprint = queryFingerprint(ListScheduleRunsRequestSchema, request);
    const page = pageToken === '' ? undefined : decodePageToken(pageToken, fingerprint, ['bigint', 'bigint']);
    const size = pageSize === 0 ? DEFAULT_PAGE_SIZE : pageSize;
    const before =
      page === undefined ? undefined : { occurrence: page.cursor[0], attempt: Number(page.cursor[1]) };
    const found = await context.store.runs(request, before, size + 1);
    if (found.length === 0) await foundSchedule(context, request);
    const shown = found.slice(0, size);
    const last = shown.at(-1);
    if (last === undefined || found.length <= size) return { runs: shown.map(runMessage) };
    const cursor = [last.occurrence, BigInt(last.attempt)];
    const nextPageToken = encodePageToken({ ...context.log, ...NO_POINT, fingerprint, cursor });
    return { runs: shown.map(runMessage), nextPageToken };
  };
}

/** @throws CallError LEDGER_NOT_FOUND: a ledger begins with the first of its events in the log */
async function requireLedger({ reader }: ScheduleContext, ledgerId: string): Promise<void> {
  const events = await reader.page({ after: -1n, through: null, limit: 1, ledgerId, streamId: null });
  if (events.length === 0) throw ledgerNotFound(ledgerId);
}
