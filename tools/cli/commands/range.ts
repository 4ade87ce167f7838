/** Ranges of time of lists: `--from -7d`, `--to 2026-11-01`, `--from effective:2026-10-01`. */
import type { Timestamp } from '@bufbuild/protobuf/wkt';
import { InvalidArgumentError } from 'commander';
import { type FlagValues, value } from '../flags.js';
import { type Given, given } from '../given.js';
import type { Session } from '../session.js';
import { type At, readAt } from '../when.js';

type TimeAt = Exclude<At, { readonly axis: 'position' }>;

export const RANGE_FLAGS = {
  from: value('time', 'recorded then or later; effective:TIME for the effective time', readTimeAt),
  to: value('time', 'recorded before then; effective:TIME for the effective time', readTimeAt),
};

interface Range {
  readonly startRecordedTime: Timestamp | undefined;
  readonly endRecordedTime: Timestamp | undefined;
  readonly startEffectiveTime: Timestamp | undefined;
  readonly endEffectiveTime: Timestamp | undefined;
}

/** The fields of a list's request. */
export function rangeOf(session: Session, { from, to }: FlagValues<typeof RANGE_FLAGS>): Given<Range> {
  const now = session.io.now();
  const on = (axis: TimeAt['axis'], at: TimeAt | undefined) => (at?.axis === axis ? at.when(now) : undefined);
  return given({
    startRecordedTime: on('recorded', from),
    endRecordedTime: on('recorded', to),
    startEffectiveTime: on('effective', from),
    endEffectiveTime: on('effective', to),
  });
}

function readTimeAt(typed: string): TimeAt {
  const at = readAt(typed);
  if (at.axis === 'position') throw new InvalidArgumentError('It is a time; lists take no position.');
  return at;
}
