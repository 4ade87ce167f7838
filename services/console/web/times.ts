/** Times as the operator wants them: short in lists, exact on hover, all in one zone. */
import type { Timestamp } from '@bufbuild/protobuf/wkt';
import { countOf } from './numbers.js';

/** `UTC`, or an IANA name; the browser's own is asked for once. */
export const LOCAL_ZONE = Intl.DateTimeFormat().resolvedOptions().timeZone;

const HOUR_MS = 3_600_000;
const MINUTE_MS = 60_000;

const formats = new Map<string, Intl.DateTimeFormat>();

function formatOf(zone: string): Intl.DateTimeFormat {
  const known = formats.get(zone);
  if (known !== undefined) return known;
  const made = new Intl.DateTimeFormat('en-CA', {
    timeZone: zone,
    year: 'numeric',
    month: '2-digit',
    day: '2-digit',
    hour: '2-digit',
    minute: '2-digit',
    second: '2-digit',
    hourCycle: 'h23',
  });
  formats.set(zone, made);
  return made;
}

function fieldsOf(date: Date, zone: string): { readonly day: string; readonly time: string } {
  const of = new Map(
    formatOf(zone)
      .formatToParts(date)
      .map(({ type, value }) => [type, value]),
  );
  const get = (name: Intl.DateTimeFormatPartTypes) => of.get(name) ?? '';
  return {
    day: `${get('year')}-${get('month')}-${get('day')}`,
    time: `${get('hour')}:${get('minute')}:${get('second')}`,
  };
}

/** The second that the time lies in. A date has milliseconds: 59.9999995 s would be rounded up to the next minute. */
function secondOf({ seconds }: Timestamp): Date {
  return new Date(countOf(seconds) * 1_000);
}

/** The time alone if it is of today, else day and minute. */
export function shortTime(time: Timestamp | undefined, zone: string, now = new Date()): string {
  if (time === undefined) return '';
  const at = fieldsOf(secondOf(time), zone);
  return at.day === fieldsOf(now, zone).day ? at.time : `${at.day} ${at.time.slice(0, 5)}`;
}

/** To the microsecond, with the zone. */
export function exactTime(time: Timestamp | undefined, zone: string): string {
  if (time === undefined) return '';
  const { day, time: clock } = fieldsOf(secondOf(time), zone);
  const micros = String(Math.trunc(time.nanos / 1000)).padStart(6, '0');
  return `${day} ${clock}.${micros} ${zone}`;
}

/** `in 3 h`, `12 min ago`. */
export function distance(from: Date, to: Date): string {
  const ms = to.getTime() - from.getTime();
  const size = Math.abs(ms);
  const words =
    size < MINUTE_MS
      ? `${String(Math.round(size / 1000))} s`
      : size < HOUR_MS
        ? `${String(Math.round(size / MINUTE_MS))} min`
        : size < 48 * HOUR_MS
          ? `${String(Math.round(size / HOUR_MS))} h`
          : `${String(Math.round(size / (24 * HOUR_MS)))} days`;
  return ms < 0 ? `${words} ago` : `in ${words}`;
}
