/** ProjectionService/ListDeadLetters: the events that are not in a view, and why. */
import {
  ListDeadLettersRequestSchema,
  type ProjectionService,
} from '../../../gen/quittance/ops/v1/projection_service_pb.js';
import { SHARD } from '../../../lib/log/shard.js';
import type { MethodFunction } from '../../../lib/rpc/service.js';
import { decodePageToken, encodePageToken, queryFingerprint } from '../../../lib/rpc/tokens.js';
import type { ProjectionOperations } from '../operations.js';
import { deadLetterMessage } from './dead-letter-message.js';

const DEFAULT_PAGE_SIZE = 50;
/** No event is named by the tokens of this list but by its position. */
const NO_HASH = new Uint8Array(32);

/** The method. */
export function listDeadLetters(
  operations: ProjectionOperations,
): MethodFunction<(typeof ProjectionService)['method']['listDeadLetters']> {
  return async (request) => {
    const { projectionId, ledgerId, streamId, refusedOnly, pageSize, pageToken } = request;
    const fingerprint = queryFingerprint(ListDeadLettersRequestSchema, request);
    const page = pageToken === '' ? undefined : decodePageToken(pageToken, fingerprint, ['bigint']);
    const limit = pageSize === 0 ? DEFAULT_PAGE_SIZE : pageSize;
    const after = page?.cursor[0] ?? -1n;
    const asked = { projectionId, ledgerId, streamId, refusedOnly, after, limit };
    const { letters, total, hasMore, logId } = await operations.deadLetters(asked);
    const position = letters.at(-1)?.position;
    const at = { logId, shard: SHARD, epoch: 0, hash: NO_HASH, recordedTime: 0n, fingerprint };
    return {
      deadLetters: letters.map(deadLetterMessage),
      totalCount: BigInt(total),
      nextPageToken:
        hasMore && position !== undefined ? encodePageToken({ ...at, position, cursor: [position] }) : '',
    };
  };
}
