/** How long is waited: after an attempt that failed, and after a look for webhooks that have something to send. */

const FIRST_MS = 1_000;
const LONGEST_MS = 3_600_000;
/** Receivers that failed together are not tried again at the same moment. */
const SPREAD = 0.2;

/** 1 s after the first attempt, twice as long after each, up to an hour; `random` is at least 0 and below 1. */
export function pauseAfter_ms(attempts: number, random: number): number {
  const pause_ms = Math.min(FIRST_MS * 2 ** Math.min(attempts - 1, 20), LONGEST_MS);
  return Math.round(pause_ms * (1 - SPREAD / 2 + SPREAD * random));
}

/** The pause that the receiver asked for, as far as it is followed. */
export function askedPause_ms(retryAfter_ms: number): number {
  return Math.min(retryAfter_ms, LONGEST_MS);
}

/** The least time between two looks: a busy log would wake them with every commit. */
const BETWEEN_LOOKS_MS = 20;
/** Looks take about a twentieth of the time: over many webhooks one takes longer. */
const SHARE_OF_LOOKS = 20;
/** A look that had to wait itself, for its connection for example, says nothing of the next one. */
const BETWEEN_LOOKS_MAX_MS = 2_000;

/** The time from one look, which took so long, to the next. */
export function pauseAfterLook_ms(took_ms: number): number {
  return Math.min(Math.max(BETWEEN_LOOKS_MS, took_ms * SHARE_OF_LOOKS), BETWEEN_LOOKS_MAX_MS);
}
