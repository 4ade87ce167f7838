/** How dead letters are written, in one statement with the checkpoint. */
import { int4Array, int8Array, textArray } from '../../../log/postgres-arrays.js';
import { type DeadLetter, letterText } from '../../parked/dead-letter.js';
import { rowsOfArrays, type TableWrite } from './table-write.js';

/** Adds letters, or changes those that are there. */
export function addLetters(schema: string, partition: number, letters: readonly DeadLetter[]): TableWrite {
  return {
    statement: {
      name: 'dead letters',
      rows: (first) => rowsOfArrays(first, 'int bigint text'),
      change: {
        into: `${schema}.dead_letters as d`,
        columns: 'partition, position, letter',
        onConflict: 'on conflict (partition, position) do update set letter = excluded.letter',
      },
    },
    count: letters.length,
    values: [
      int4Array(letters.map(() => partition)),
      int8Array(letters.map(({ position }) => position)),
      textArray(letters.map(letterText)),
    ],
  };
}

/** Removes letters. */
export function removeLetters(schema: string, partition: number, positions: readonly bigint[]): TableWrite {
  return {
    statement: {
      name: 'applied letters',
      rows: (first) => rowsOfArrays(first, 'int bigint', 'partition position'),
      change: {
        deleteFrom: `${schema}.dead_letters d`,
        where: 'd.partition = r.partition and d.position = r.position',
      },
    },
    count: positions.length,
    values: [int4Array(positions.map(() => partition)), int8Array(positions)],
  };
}
