/** Whether the log still has what a watch has sent. */
import { ErrorReason } from '../../../gen/quittance/common/v1/error_reason_pb.js';
import type { LogPoint } from '../../../lib/log/recorded-event.js';
import { fail } from '../../../lib/rpc/errors.js';
import type { QueryContext } from '../context.js';
import { isSameHash, isUnknownHash } from '../hashes.js';

/**
 * To be asked when the epoch of the log has changed under a watch. Reads the log, and not the cache of
 * verified tokens: that may be older than the restore.
 * @throws CallError HISTORY_LOST if the log has no event where the watch stands, or another one
 */
export async function requireWatchedHistory(
  { log }: Pick<QueryContext, 'log'>,
  { position, hash }: Pick<LogPoint, 'position' | 'hash'>,
): Promise<void> {
  if (position < 0n) return;
  const event = await log.at(position);
  if (event !== undefined && (isUnknownHash(hash) || isSameHash(hash, event.hash))) return;
  throw fail(ErrorReason.HISTORY_LOST, 'the log was restored to an older end while it was watched');
}
