/** A batch as one statement: it moves the checkpoint from where it was known to be, or does nothing at all. */

/** What each write of a batch must ask in its `where`: whether the checkpoint was where the batch begins. */
export const ifMoved = `exists (select from moved)`;

/**
 * $1 partition; where its checkpoint is to be: $2 offset, $3 epoch, $4 position, $5 hash, $6 recorded_time; where it must be:
 * $7 offset, $8 position, $9 hash. Gives a row if it was there. The writes have their parameters from $10 on. All see one snapshot, and
 * none sees what another writes. Views can be filled again, so that the commit does not wait for the disk: after a crash of the server
 * a view may be some batches older, data and checkpoint together.
 */
export const applyBatch = (schema: string, writes: readonly string[]): string => `
with moved as (
  update ${schema}.checkpoint
  set event_offset = $2, epoch = $3, position = $4, hash = $5, recorded_time = $6
  where partition = $1 and event_offset = $7 and position = $8 and hash = $9
  returning partition
)${writes.map((write, index) => `, write_${String(index)} as (${write})`).join('')}
select set_config('synchronous_commit', 'off', true) from moved`;
