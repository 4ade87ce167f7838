/** Digests of rows: the sum of them does not depend on the order of rows, nor on how they lie on disk. */

/** A bigint of all columns of a row. */
export const hashOf = (row: string): string => `hash_record_extended(${row}, 0)`;
