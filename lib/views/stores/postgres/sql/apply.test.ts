import { expect, test } from '@jest/globals';
import type { Insert, Update, WriteStatement } from '../table-write.js';
import { applyBatch } from './apply.sql.js';

const changes: readonly (Insert | Update)[] = [
  { into: 'notes_1.seen', columns: 'position' },
  { into: 'notes_1.seen', columns: 'position', onConflict: 'on conflict (position) do nothing' },
  { update: 'notes_1.seen s', set: 'position = r.position', where: 's.position = r.position' },
];

function statement(change: Insert | Update): WriteStatement {
  return { name: 'note', change, rows: (first) => `select $${String(first)}::bigint as position` };
}

test('every write has the guard, whatever its adapter says', () => {
  const text = applyBatch(
    'notes_1',
    changes.map((change, index) => ({ statement: statement(change), first: 10 + index })),
  );
  const writes = text.split(/, write_\d+ as \(/).slice(1);
  expect(writes).toHaveLength(changes.length);
  for (const [index, write] of writes.entries()) {
    expect(write).toMatch(/ where .*exists \(select from moved\)/);
    expect(write).toContain(`select $${String(10 + index)}::bigint as position`);
  }
});
