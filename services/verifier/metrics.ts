/** What Prometheus learns of the proofs: the last one in this process, and the ledgers whose last one found differences. */
import type { Registry } from 'prom-client';
import { registerCounters, registerGauge, registerGauges, type Sample } from '../../lib/observe/gauges.js';

/** How a run of VerifyLedger ended. */
export interface Proof {
  readonly ledgerId: string;
  readonly isOk: boolean;
  /** Up to where the log was verified. */
  readonly position: bigint;
  readonly findings: number;
  readonly duration_ms: number;
  /** When it ended, milliseconds since 1970. */
  readonly endedAt_ms: number;
}

/** Takes the proofs of this process. */
export interface ProofMetrics {
  ended(proof: Proof): void;
  /** A run ended without a verdict: the caller left, or a store or view was away. */
  gaveUp(): void;
}

/** As many failing ledgers are told apart. */
const MOST_LEDGERS = 10_000;

/** Registers the metrics of the proofs of a shard; nothing is shown of a last proof before the first. */
export function proofMetrics(registry: Registry, shard: number): ProofMetrics {
  const proofs = { ok: 0, differs: 0, gave_up: 0 };
  const differing = new Set<string>();
  let last: Proof | undefined;
  const gauge = (name: string, help: string, valueOf: (proof: Proof) => number) =>
    registerGauges(registry, {
      name,
      help,
      labelNames: ['shard'],
      samples: (): Sample<'shard'>[] => (last === undefined ? [] : [[{ shard }, valueOf(last)]]),
    });
  registerCounters(registry, {
    name: 'quittance_proofs_total',
    help: 'Runs of VerifyLedger, by verdict; "gave_up": the caller left, or a store was away.',
    labelNames: ['verdict'],
    samples: () => Object.entries(proofs).map(([verdict, runs]) => [{ verdict }, runs]),
  });
  registerGauge(
    registry,
    'quittance_proof_differing_ledgers',
    'Ledgers whose last proof in this process found differences.',
    () => differing.size,
  );
  gauge(
    'quittance_proof_ok',
    'Verdict of the last proof: 1 all is equal, 0 it found differences.',
    ({ isOk }) => (isOk ? 1 : 0),
  );
  gauge(
    'quittance_proof_timestamp_seconds',
    'When the last proof ended, seconds since 1970.',
    ({ endedAt_ms }) => endedAt_ms / 1000,
  );
  gauge('quittance_proof_position', 'Up to where the last proof verified the log.', ({ position }) =>
    Number(position),
  );
  gauge('quittance_proof_findings', 'How many differences the last proof found.', ({ findings }) => findings);
  gauge(
    'quittance_proof_duration_seconds',
    'How long the last proof took.',
    ({ duration_ms }) => duration_ms / 1000,
  );
  return {
    ended: (proof) => {
      last = proof;
      proofs[proof.isOk ? 'ok' : 'differs'] += 1;
      if (proof.isOk) differing.delete(proof.ledgerId);
      else if (differing.size < MOST_LEDGERS) differing.add(proof.ledgerId);
    },
    gaveUp: () => {
      proofs.gave_up += 1;
    },
  };
}
