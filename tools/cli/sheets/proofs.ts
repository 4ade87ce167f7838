/** How a proof is shown: a row for each difference, one for each part that was compared, and the verdict. */
import type { Sheet } from '../sheet.js';

export interface ProofRow {
  /** The log, the state tables, a view, the anchor, or the verdict. */
  readonly subject: string;
  readonly result: 'ok' | 'differs';
  readonly position: bigint | undefined;
  readonly entity: string;
  readonly expected: string;
  readonly actual: string;
  /** How many things were compared. */
  readonly compared: bigint | undefined;
}

export const PROOFS: Sheet<ProofRow> = {
  columns: [
    { name: 'subject', of: ({ subject }) => subject },
    { name: 'result', of: ({ result }) => result },
    { name: 'compared', of: ({ compared }) => String(compared ?? ''), isRight: true },
    { name: 'position', of: ({ position }) => String(position ?? ''), isRight: true },
    { name: 'entity', of: ({ entity }) => entity },
    { name: 'expected', of: ({ expected }) => expected },
    { name: 'actual', of: ({ actual }) => actual },
  ],
  id: ({ subject }) => subject,
  json: ({ subject, result, position, entity, expected, actual, compared }) => ({
    subject,
    result,
    compared: String(compared ?? ''),
    position: String(position ?? ''),
    entity,
    expected,
    actual,
  }),
};
