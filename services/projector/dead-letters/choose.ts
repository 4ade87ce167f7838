/** Which dead letters an operator means. */
import type { DeadLetter } from '../../../lib/views/parked/dead-letter.js';
import { WHOLE_LEDGER } from '../../../lib/views/parked/parked.js';

/** As plain data. */
export type DeadLetterTarget =
  | { readonly kind: 'position'; readonly position: bigint }
  | { readonly kind: 'stream'; readonly ledgerId: string; readonly streamId: string }
  | { readonly kind: 'all' };

/** The letters that a target means, in the order given. */
export function chooseLetters(
  letters: readonly DeadLetter[],
  target: DeadLetterTarget,
): readonly DeadLetter[] {
  switch (target.kind) {
    case 'all':
      return letters;
    case 'position':
      return letters.filter(({ position }) => position === target.position);
    case 'stream':
      return tiedTo(letters, target.ledgerId, target.streamId);
  }
}

/** The letters of a stream, and all that are tied to them by a key that one of two letters changes. */
function tiedTo(letters: readonly DeadLetter[], ledgerId: string, streamId: string): readonly DeadLetter[] {
  const ofLedger = letters.filter((letter) => letter.ledgerId === ledgerId);
  const changed = new Set<string>();
  const touched = new Set<string>();
  const chosen = new Set<DeadLetter>();
  const isTied = ({ changes, touches }: DeadLetter) =>
    changed.has(WHOLE_LEDGER) ||
    (chosen.size > 0 && changes.includes(WHOLE_LEDGER)) ||
    touches.some((key) => changed.has(key)) ||
    changes.some((key) => touched.has(key));
  for (let before = -1; chosen.size > before;) {
    before = chosen.size;
    for (const letter of ofLedger) {
      if (chosen.has(letter) || !(letter.streamId === streamId || isTied(letter))) continue;
      chosen.add(letter);
      for (const key of letter.changes) changed.add(key);
      for (const key of letter.touches) touched.add(key);
    }
  }
  return ofLedger.filter((letter) => chosen.has(letter));
}
