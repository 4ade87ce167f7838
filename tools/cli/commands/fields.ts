/** Flags that several commands take, and the fields of messages that they become. */
import type { Timestamp } from '@bufbuild/protobuf/wkt';
import { type FlagValues, grouped, pair, repeated, text, toggle, value } from '../flags.js';
import { type Given, given } from '../given.js';
import type { Session } from '../session.js';
import { readWhen, type When } from '../when.js';

export const METADATA_FLAG = { metadata: repeated('key=value', 'metadata', pair) };

/** Of everything that makes a transaction. */
export const BOOKING_FLAGS = grouped('What is kept with it', {
  reference: text('text', 'your own number, such as an order; it need not be unique'),
  description: text('text', 'a text for people'),
  ...METADATA_FLAG,
  effective: value('time', 'the time that its entries are dated at (default: now)', readWhen),
});

/** Of what may skip funds and freezes. */
export const FORCE_FLAG = { force: toggle('skip funds and freezes, as chargebacks must; it is recorded') };

/** Of what may take less than was asked for. */
export const UP_TO_FLAG = { upTo: toggle('take as much as there is, and at most the amount') };

/** The fields of a message that makes a transaction. */
export function bookingFields(
  session: Session,
  { reference = '', description = '', metadata, effective }: FlagValues<typeof BOOKING_FLAGS>,
): {
  readonly reference: string;
  readonly description: string;
  readonly metadata: Record<string, string>;
} & Given<{
  effectiveTime: Timestamp | undefined;
}> {
  const fields = { reference, description, metadata: metadataOf(metadata) };
  return { ...fields, ...given({ effectiveTime: timeOf(session, effective) }) };
}

/** The pairs as a map; the last of two with one key counts. */
export function metadataOf(
  pairs: readonly (readonly [string, string])[] | undefined,
): Record<string, string> {
  return Object.fromEntries(pairs ?? []);
}

/** A time against the clock of now. */
export function timeOf(session: Session, when: When | undefined): Timestamp | undefined {
  return when?.(session.io.now());
}
