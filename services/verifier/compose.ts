/** Wires VerifyLedger to the log as it is stored, the state tables, and the views that serve. */
import type { Registry } from 'prom-client';
import type { Pool } from '../../lib/log/postgres-client.js';
import { SHARD } from '../../lib/log/shard.js';
import type { Service } from '../../lib/rpc/service.js';
import type { View, ViewGenerations, ViewId } from '../../lib/views/view.js';
import { postgresStateTables, postgresStoredLog } from './log/postgres-stored-log.js';
import { proofMetrics } from './metrics.js';
import { ledgerService } from './rpc/ledger-service.js';

export interface VerifierParts {
  /** Of connections that no other duty waits for. */
  readonly pool: Pool;
  readonly views: Readonly<Record<ViewId, Pick<ViewGenerations<View>, 'current'>>>;
  readonly partitionOf: (ledgerId: string) => number;
  readonly registry: Registry;
}

export function composeVerifier({ pool, views, partitionOf, registry }: VerifierParts): Service {
  const serving = {
    balances: () => views.balances.current(),
    history: () => views.history.current(),
    reports: () => views.reports.current(),
  };
  const stored = postgresStoredLog(pool, SHARD);
  const deps = { stored, state: postgresStateTables(pool), views: serving, partitionOf };
  return ledgerService(deps, proofMetrics(registry, SHARD));
}
