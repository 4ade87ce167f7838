/** Timestamps in JSON: JavaScript's Date reads 31 February as 3 March, and 24:00 as the next day. */
import type { JsonValue } from '@bufbuild/protobuf';
import { ErrorReason } from '../../gen/quittance/common/v1/error_reason_pb.js';
import { type CallError, fail } from './errors.js';

const RFC_3339 = /^(\d{4})-(\d{2})-(\d{2})T(\d{2}):(\d{2}):(\d{2})(?:\.\d{1,9})?(?:Z|[+-](\d{2}):(\d{2}))$/;
const FIRST_MS = Date.parse('0001-01-01T00:00:00Z');
const LAST_MS = Date.parse('9999-12-31T23:59:59Z');

/** What is wrong with a timestamp: MALFORMED_MESSAGE if it is not written as one, INVALID_FIELD if there is no such time. */
export function timestampProblem(json: JsonValue, path: string): CallError | undefined {
  const parts = typeof json === 'string' ? RFC_3339.exec(json) : null;
  if (parts === null) {
    return problem(
      ErrorReason.MALFORMED_MESSAGE,
      path,
      'is not a time of RFC 3339, such as 2026-01-31T12:00:00Z',
    );
  }
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0, offsetHour = 0, offsetMinute = 0] =
    parts.slice(1).map((part: string | undefined) => Number(part ?? 0));
  const isPossible =
    month >= 1 &&
    month <= 12 &&
    day >= 1 &&
    day <= daysOf(year, month) &&
    hour <= 23 &&
    minute <= 59 &&
    second <= 59 &&
    offsetHour <= 23 &&
    offsetMinute <= 59;
  if (!isPossible) return problem(ErrorReason.INVALID_FIELD, path, 'is a time that does not exist');
  const time_ms = Date.parse(parts[0].replace(/\.\d+/, ''));
  return time_ms >= FIRST_MS && time_ms <= LAST_MS
    ? undefined
    : problem(ErrorReason.INVALID_FIELD, path, 'is not within the years 0001 to 9999');
}

/** The last day of a month. setUTCFullYear takes the years below 100 as they are, which Date.UTC does not. */
function daysOf(year: number, month: number): number {
  const date = new Date(0);
  date.setUTCFullYear(year, month, 0);
  return date.getUTCDate();
}

function problem(reason: ErrorReason, path: string, description: string): CallError {
  return fail(reason, `${path}: ${description}`, { fields: [{ field: path, description }] });
}
