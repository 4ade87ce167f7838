/** VerifyLedger: proves that the log is whole and that everything derived from it equals a fold of it. */
import type { LedgerService } from '../../../gen/quittance/ops/v1/ledger_service_pb.js';
import { ErrorReason } from '../../../gen/quittance/common/v1/error_reason_pb.js';
import { fail } from '../../../lib/rpc/errors.js';
import type { MethodFunction } from '../../../lib/rpc/service.js';
import { GenerationGoneError } from '../../../lib/views/view-errors.js';
import { Findings, type VerifyMessage } from '../compare/findings.js';
import type { Proof, ProofMetrics } from '../metrics.js';
import { SUBJECTS, verify, type VerifyDeps } from '../verify.js';

/** How long views may take to catch up if the caller set no deadline. */
const DEFAULT_WAIT_MS = 30_000;
/** Fails this long before the deadline, so that the caller gets our error and not the deadline's. */
const MARGIN_MS = 50;

/**
 * Streams progress and findings as they come, at most 1,000 findings, and ends with the verdict.
 * @param proofs takes how each run ended
 */
export function verifyLedger(
  deps: VerifyDeps,
  proofs?: ProofMetrics,
): MethodFunction<typeof LedgerService.method.verifyLedger> {
  return async function* ({ ledgerId }, call) {
    const began_ms = performance.now();
    let hasVerdict = false;
    const findings = new Findings(SUBJECTS);
    const stop = new AbortController();
    const signal = AbortSignal.any([call.signal, stop.signal]);
    const due_ms = (call.deadline_ms ?? Date.now() + DEFAULT_WAIT_MS) - MARGIN_MS;
    let isDone = false;
    const verifying = verify(deps, { ledgerId, due_ms, findings, signal }).finally(() => (isDone = true));
    // It is awaited below; a rejection until then must not count as unhandled.
    verifying.catch(() => undefined);
    try {
      while (!isDone) {
        await Promise.race([findings.changed(), verifying]);
        yield* findings.take();
      }
      const { position, hash } = await verifying;
      yield* findings.take();
      hasVerdict = true;
      proofs?.ended(proofOf(ledgerId, findings, position, performance.now() - began_ms));
      yield verdict(findings, position, hash);
    } catch (error) {
      throw error instanceof GenerationGoneError ? rebuilt(error) : error;
    } finally {
      // The caller left, or all is done: nothing goes on behind a call that has ended.
      stop.abort();
      if (!hasVerdict) proofs?.gaveUp();
      await verifying.catch(() => undefined);
    }
  };
}

function proofOf(ledgerId: string, { ok, count }: Findings, position: bigint, duration_ms: number): Proof {
  return { ledgerId, isOk: ok, position, findings: Number(count), duration_ms, endedAt_ms: Date.now() };
}

function verdict(findings: Findings, position: bigint, hash: Uint8Array): VerifyMessage {
  const value = { ok: findings.ok, position, hash, outcomes: findings.outcomes() };
  return { event: { case: 'verdict', value } };
}

function rebuilt(error: GenerationGoneError) {
  return fail(ErrorReason.READ_MODEL_BEHIND, `the ${error.view} view was rebuilt meanwhile; verify again`, {
    metadata: { view: error.view },
    cause: error,
  });
}
