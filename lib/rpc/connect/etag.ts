/**
 * Answers to calls by GET carry an ETag, and a caller who has the answer already gets 304 without it. The tag is the hash of
 * the answer's bytes, which hold the position that it is as of (`as_of`): equal tags are equal answers of the same moment,
 * and an answer about a past that is final keeps its tag for ever. The read is made all the same: nothing is served from
 * memory that the log may have left behind.
 */
import { createHash } from 'node:crypto';
import { readAllBytes, type UniversalServerResponse } from '@connectrpc/connect/protocol';

/** Kept by the caller alone, and only to be asked for again: money changes. */
const CACHE_CONTROL = 'private, no-cache';
const OK = 200;
const NOT_MODIFIED = 304;
const TAG_BYTES = 18;

/** @param known the request's If-None-Match */
export async function withETag(
  answer: UniversalServerResponse,
  known: string | null,
): Promise<UniversalServerResponse> {
  if (answer.status !== OK || answer.body === undefined) return answer;
  const bytes = await readAllBytes(asChunks(answer.body), Number.MAX_SAFE_INTEGER);
  const digest = createHash('sha256').update(bytes).digest().subarray(0, TAG_BYTES);
  // Weak: the same answer compressed at another level is the same answer.
  const tag = `W/"${digest.toString('base64url')}"`;
  const header = new Headers(answer.header);
  header.set('ETag', tag);
  header.set('Cache-Control', CACHE_CONTROL);
  if (!isKnown(known, tag)) return { ...answer, header, body: oneChunk(bytes) };
  for (const name of ['Content-Type', 'Content-Length', 'Content-Encoding']) header.delete(name);
  return { status: NOT_MODIFIED, header };
}

/** Whether a list of tags, weak or not, names this one; `*` names any. */
function isKnown(known: string | null, tag: string): boolean {
  if (known === null) return false;
  const strong = tag.slice(2);
  return known.split(',').some((each) => {
    const named = each.trim();
    return named === '*' || named === tag || named === strong;
  });
}

function asChunks(body: NonNullable<UniversalServerResponse['body']>): AsyncIterable<Uint8Array> {
  return body instanceof Uint8Array ? oneChunk(body) : body;
}

async function* oneChunk(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}
