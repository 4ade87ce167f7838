/** What a peer may ask of one connection. */
import { HEADER_LIST_MAX_BYTES } from './request-headers.js';

/** Calls that are open at once on one connection. More are refused, and clients keep them waiting. */
export const STREAMS_MAX = 4_096;
/** What all calls of a connection together may send ahead of us. */
export const CONNECTION_WINDOW = 1_048_576;
/** Of one block, in all its frames. */
export const HEADER_BLOCK_MAX_BYTES = HEADER_LIST_MAX_BYTES;
export const HEADER_FRAMES_MAX = 16;
/** While the peer has not taken this much, no more answers are given to the socket. */
export const SOCKET_MAX_BYTES = 256 * 1_024;
/** While the peer has not taken this much, nothing more is read from it: it asks and does not read. */
export const UNREAD_MAX_BYTES = 1_024 * 1_024;
/** Answers that wait for a peer's windows. Beyond, its new calls are refused. */
export const HELD_MAX_BYTES = 64 * 1_024 * 1_024;
/** Calls that are begun and broken off: at once, and per second in the long run. nghttp2 has the same limits. */
export const RESETS_MAX = 1_000;
export const RESETS_PER_SECOND = 33;
/** Frames without use: at once, and per second in the long run. */
export const IDLE_FRAMES_MAX = 10_000;
export const IDLE_FRAMES_PER_SECOND = 330;
/** Settings and pings that are answered and whose answers the peer has not read. */
export const UNREAD_ACKS_MAX = 1_000;
