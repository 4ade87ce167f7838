/** Counts what a peer may do now and then, and must not do without end. */
import { ErrorCode, Http2Error } from './errors.js';
import { IDLE_FRAMES_MAX, IDLE_FRAMES_PER_SECOND, RESETS_MAX, RESETS_PER_SECOND } from './limits.js';
import { TokenBucket } from './token-bucket.js';

export class MisuseGuard {
  readonly #resets: TokenBucket;
  readonly #idleFrames: TokenBucket;

  /** @param now milliseconds */
  constructor(now: () => number) {
    this.#resets = new TokenBucket(RESETS_MAX, RESETS_PER_SECOND, now);
    this.#idleFrames = new TokenBucket(IDLE_FRAMES_MAX, IDLE_FRAMES_PER_SECOND, now);
  }

  /** Counts a call that is broken off, by the peer or because of it. @throws Http2Error */
  countReset(): void {
    if (!this.#resets.take())
      throw new Http2Error(ErrorCode.enhanceYourCalm, 'too many calls are broken off');
  }

  /** Counts a frame without use. @throws Http2Error */
  countIdleFrame(): void {
    if (!this.#idleFrames.take())
      throw new Http2Error(ErrorCode.enhanceYourCalm, 'too many frames say nothing');
  }
}
