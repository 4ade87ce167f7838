/** Times in requests: checked, and as UTC microseconds. */
import type { Timestamp } from '@bufbuild/protobuf/wkt';
import { ErrorReason } from '../../gen/quittance/common/v1/error_reason_pb.js';
import { type CallError, fail } from '../../lib/rpc/errors.js';
import { type Micros, microsOf } from '../../lib/base/time.js';
import type { TimeRange } from '../../lib/views/history/view.js';

/** What google.protobuf.Timestamp may say: the years 1 to 9999. */
const FIRST_SECOND = -62_135_596_800n;
const LAST_SECOND = 253_402_300_799n;

/**
 * A time of a request in UTC microseconds; `field` is its path in the contract.
 * @throws CallError INVALID_FIELD if it is finer than a microsecond or no valid timestamp. Nothing is ever
 * rounded.
 */
export function requestedTime(field: string, timestamp: Timestamp): Micros {
  const { seconds, nanos } = timestamp;
  if (seconds < FIRST_SECOND || seconds > LAST_SECOND || nanos < 0 || nanos > 999_999_999) {
    throw invalidField(field, 'is not a time between the years 1 and 9999');
  }
  if (nanos % 1000 !== 0) throw invalidField(field, 'is finer than a microsecond');
  return microsOf(timestamp);
}

/** The same for a time that may be left out: null then. */
export function optionalTime(field: string, timestamp: Timestamp | undefined): Micros | null {
  return timestamp === undefined ? null : requestedTime(field, timestamp);
}

/**
 * A range [start, end) of a request.
 * @throws CallError INVALID_FIELD naming the bound that is finer than a microsecond, or the end if nothing
 * lies before it.
 */
export function requestedRange(
  startField: string,
  start: Timestamp | undefined,
  endField: string,
  end: Timestamp | undefined,
): TimeRange {
  const range = { from: optionalTime(startField, start), to: optionalTime(endField, end) };
  if (range.from !== null && range.to !== null && range.from >= range.to) {
    throw invalidField(endField, `is not after ${startField}`);
  }
  return range;
}

/** Whether a time, UTC microseconds, is in a range. */
export function isWithin(time: bigint, { from, to }: TimeRange): boolean {
  return (from === null || time >= from) && (to === null || time < to);
}

function invalidField(field: string, description: string): CallError {
  return fail(ErrorReason.INVALID_FIELD, `${field} ${description}`, { fields: [{ field, description }] });
}
