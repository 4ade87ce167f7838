/** Keys of maps over the entities of all ledgers. */

const SEPARATOR = '\0';

/** An id within a ledger, as the key of a map. */
export function entityKey(ledgerId: string, id: string): string {
  return ledgerId + SEPARATOR + id;
}
