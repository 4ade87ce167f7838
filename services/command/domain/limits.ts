/** Bounds of numbers and times. Amounts are bigint minor units, times bigint UTC microseconds. */

/** The largest total that any account or payment may show. */
export const INT64_MAX = 2n ** 63n - 1n;
/** The smallest total that any account may show. */
export const INT64_MIN = -(2n ** 63n);

const DAY_US = 86_400_000_000n;
/** Pairs of bearer and fee account that a payment may have fees of: each event of the payment carries all of them. */
export const FEE_TOTALS_MAX = 100;
/** How long a hold lasts unless AuthorizePayment says otherwise. */
export const DEFAULT_HOLD_US = 7n * DAY_US;
/** How long a hold may last. */
export const MAX_HOLD_US = 400n * DAY_US;
