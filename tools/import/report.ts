/** What the operator reads at the end. */
import type { ImportSummary, Mismatch } from './import.js';

/** The lines of the end: each mismatch, then the counts. */
export function reportLines(summary: ImportSummary, elapsed_ms: number): string[] {
  const { rows, accounts, matches, replayed, empty, mismatches } = summary;
  const rate = Math.round(rows / Math.max(elapsed_ms / 1000, 0.001));
  const compared = rows - empty;
  return [
    ...mismatches.map(mismatchLine),
    [
      `${count(rows)} movements of ${count(accounts)} accounts in ${(elapsed_ms / 1000).toFixed(1)} s (${count(rate)}/s)`,
      ...(replayed > 0 ? [`${count(replayed)} of them booked by an earlier run`] : []),
      ...(empty > 0 ? [`${count(empty)} with an amount of zero not sent`] : []),
    ].join(', '),
    [
      `balances: ${count(matches)} of ${count(compared)} match`,
      ...(mismatches.length > 0 ? [`${count(mismatches.length)} DO NOT`] : []),
    ].join(', '),
  ];
}

function mismatchLine({ movement, posted, problem }: Mismatch): string {
  const what =
    posted === undefined
      ? `not booked, ${problem}`
      : `printed ${String(movement.balanceAfter)}, posted ${String(posted)}`;
  return `line ${movement.line}: movement ${movement.movementId}, account ${movement.accountId}: ${what}`;
}

function count(value: number): string {
  return value.toLocaleString('en-US');
}
