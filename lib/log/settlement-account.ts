/** The accounts through which money enters and leaves a ledger: one for each currency that it uses. */

/** What the ids of these accounts begin with; no caller can choose such an id. */
export const SETTLEMENT_PREFIX = '@settlement:';

/** The settlement account of a currency. */
export function settlementAccountOf(code: string): string {
  return SETTLEMENT_PREFIX + code;
}
