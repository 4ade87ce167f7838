/**
 * The buckets of a report: hours, days, weeks or months of an IANA time zone. Days have 23 or 25 hours where
 * the clock changes. What the zone's clock showed at a time comes from Intl: Node carries the whole tz
 * database for it.
 */
import type { Timestamp } from '@bufbuild/protobuf/wkt';
import { ErrorReason } from '../../../gen/quittance/common/v1/error_reason_pb.js';
import { type Buckets, Interval } from '../../../gen/quittance/query/v1/report_query_service_pb.js';
import { type CallError, fail } from '../../../lib/rpc/errors.js';
import {
  floorSeconds,
  modulo,
  nextDay,
  nextMonday,
  nextMonth,
  nextStart,
  type Seconds,
} from '../../../lib/base/calendar.js';
import { SECOND, timestampOf } from '../../../lib/base/time.js';
import { requestedTime } from '../times.js';
import { type Zone, zoneNamed } from '../../../lib/base/zone.js';

/** The contract's bound. */
const MOST_BUCKETS = 1_000;

const HOUR: Seconds = 3_600;

/**
 * The bounds of the buckets that a request asks for: n + 1 ascending times, UTC microseconds, the first and
 * the last being the ends of the range.
 * @throws CallError INVALID_FIELD: a time finer than a microsecond, an end not after the start, an unknown
 * zone, or more than 1,000 buckets.
 */
export function bucketBounds(buckets: Buckets | undefined): bigint[] {
  const start = requiredTime('buckets.start_time', buckets?.startTime);
  const end = requiredTime('buckets.end_time', buckets?.endTime);
  if (start >= end) throw invalid('buckets.end_time', 'is not after buckets.start_time');
  const name = buckets?.timeZone ?? '';
  const zone = zoneNamed(name === '' ? 'UTC' : name);
  if (zone === undefined)
    throw invalid('buckets.time_zone', 'is not an IANA time zone that this server knows');
  const next = stepOf(buckets?.interval ?? Interval.UNSPECIFIED);
  const bounds = [start];
  for (let at = next(zone, floorSeconds(start)); BigInt(at) * SECOND < end; at = next(zone, at)) {
    if (bounds.length === MOST_BUCKETS) {
      throw invalid(
        'buckets',
        `are more than ${String(MOST_BUCKETS)}; take a wider interval or a shorter range`,
      );
    }
    bounds.push(BigInt(at) * SECOND);
  }
  bounds.push(end);
  return bounds;
}

/** One message per bucket, the empty ones included, with the rows that belong to it as `shown` makes them. */
export function intoBuckets<R extends { readonly bucket: number }, S>(
  bounds: readonly bigint[],
  rows: readonly R[],
  shown: (row: R) => S,
): { startTime: Timestamp; endTime: Timestamp; rows: S[] }[] {
  const buckets = bounds.slice(1).map((end, index) => ({
    startTime: timestampOf(bounds[index] ?? end),
    endTime: timestampOf(end),
    rows: [] as S[],
  }));
  for (const row of rows) buckets[row.bucket]?.rows.push(shown(row));
  return buckets;
}

/** From a time to the next bound after it. */
function stepOf(interval: Interval): (zone: Zone, at: Seconds) => Seconds {
  switch (interval) {
    case Interval.HOUR:
      return nextHour;
    case Interval.UNSPECIFIED:
    case Interval.DAY:
      return (zone, at) => nextStart(zone, at, nextDay);
    case Interval.WEEK:
      return (zone, at) => nextStart(zone, at, nextMonday);
    case Interval.MONTH:
      return (zone, at) => nextStart(zone, at, nextMonth);
    default: {
      const never: never = interval;
      throw new RangeError(`unknown interval ${String(never)}`);
    }
  }
}

/**
 * An hour begins when the zone's clock shows a full one, and lasts at most 3,600 seconds: where the clock is
 * moved by half an hour, or repeats an hour, it is cut or counted again.
 */
function nextHour(zone: Zone, at: Seconds): Seconds {
  const shown = at + zone.offsetAt(at);
  return at + HOUR - modulo(shown, HOUR);
}

function requiredTime(field: string, time: Timestamp | undefined): bigint {
  if (time === undefined) throw invalid(field, 'is required');
  return requestedTime(field, time);
}

function invalid(field: string, description: string): CallError {
  return fail(ErrorReason.INVALID_FIELD, `${field} ${description}`, { fields: [{ field, description }] });
}
