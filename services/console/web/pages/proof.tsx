/** Are the books right, and since when is that known? */
import { createClient } from '@connectrpc/connect';
import { useTransport } from '@connectrpc/connect-query';
import { useEffect, useRef, useState } from 'react';
import {
  LedgerService,
  type VerifyFinding,
  type VerifyProgress,
  VerifySubject,
  type VerifyVerdict,
} from '../../../../gen/quittance/ops/v1/ledger_service_pb.js';
import { hexOf } from '../events.js';
import { Anchors } from '../parts/anchors.js';
import { Empty, FailureNote, Id, StateWord } from '../parts/text.js';
import { wordOf } from '../parts/words.js';
import { countOf, countText } from '../numbers.js';
import { usePageCall } from '../state/page-call.js';
import { keepProof, type Proof, proofStore } from '../state/proofs.js';
import { linkTo, useRoute } from '../state/route.js';
import { useMay } from '../state/session.js';
import { useStore } from '../state/store.js';
import { distance } from '../times.js';

/** A page shows so many; the verdict counts them all. */
const FINDINGS_MOST = 200;

interface Run {
  readonly isRunning: boolean;
  readonly progress: ReadonlyMap<VerifySubject, VerifyProgress>;
  readonly findings: readonly VerifyFinding[];
  readonly verdict?: VerifyVerdict;
  readonly error?: Error;
}

const IDLE: Run = { isRunning: false, progress: new Map(), findings: [] };

export function ProofPage() {
  const { ledger } = useRoute();
  const may = useMay();
  const { run, start, stop } = useProof(ledger);
  const proof = useStore(proofStore)[ledger];
  usePageCall(LedgerService.method.verifyLedger, { ledgerId: ledger });
  return (
    <>
      <div className="title">
        <h1>Proof</h1>
        {may(LedgerService.method.verifyLedger, ledger) ? (
          <button type="button" className="primary" onClick={run.isRunning ? stop : start}>
            {run.isRunning ? 'Stop' : 'Prove the books'}
          </button>
        ) : null}
      </div>
      <LastProof proof={proof} />
      <FailureNote error={run.error ?? null} />
      <Progress run={run} />
      {run.verdict === undefined ? null : <Verdict verdict={run.verdict} />}
      {run.findings.length === 0 ? null : <Findings findings={run.findings} />}
      <Anchors proof={proof} />
    </>
  );
}

function useProof(ledger: string) {
  const transport = useTransport();
  const [run, setRun] = useState(IDLE);
  const abort = useRef<AbortController>(undefined);
  useEffect(() => () => abort.current?.abort(), []);
  const follow = async (signal: AbortSignal) => {
    for await (const { event } of createClient(LedgerService, transport).verifyLedger(
      { ledgerId: ledger },
      { signal },
    )) {
      setRun((present) => withEvent(present, event));
      if (event.case === 'verdict') {
        const { ok, position, hash } = event.value;
        keepProof(ledger, { isOk: ok, position: String(position), hash: hexOf(hash), time_ms: Date.now() });
      }
    }
  };
  const start = () => {
    const controller = new AbortController();
    abort.current = controller;
    setRun({ ...IDLE, isRunning: true });
    follow(controller.signal)
      .catch((error: unknown) => {
        if (!controller.signal.aborted && error instanceof Error)
          setRun((present) => ({ ...present, error }));
      })
      .finally(() => setRun((present) => ({ ...present, isRunning: false })));
  };
  return { run, start, stop: () => abort.current?.abort() };
}

type Told =
  | { readonly case: 'progress'; readonly value: VerifyProgress }
  | { readonly case: 'finding'; readonly value: VerifyFinding }
  | { readonly case: 'verdict'; readonly value: VerifyVerdict }
  | { readonly case: undefined };

function withEvent(run: Run, event: Told): Run {
  switch (event.case) {
    case 'progress':
      return { ...run, progress: new Map([...run.progress, [event.value.subject, event.value]]) };
    case 'finding':
      return run.findings.length < FINDINGS_MOST ? { ...run, findings: [...run.findings, event.value] } : run;
    case 'verdict':
      return { ...run, verdict: event.value };
    default:
      return run;
  }
}

function LastProof({ proof }: { readonly proof: Proof | undefined }) {
  if (proof === undefined) {
    return (
      <Empty>
        A proof folds the whole log again, by code of its own, and compares: the chain of hashes, the state
        tables, and every read model. Here would be its verdict.
      </Empty>
    );
  }
  return (
    <p>
      <StateWord tone={proof.isOk ? 'good' : 'bad'}>
        {proof.isOk ? 'all agree' : 'something differs'}
      </StateWord>
      {`, up to position ${countText(BigInt(proof.position))}, ${distance(new Date(), new Date(proof.time_ms))}. Hash of the log there: `}
      <Id value={proof.hash} />
    </p>
  );
}

function Progress({ run: { progress, isRunning } }: { readonly run: Run }) {
  if (progress.size === 0) return isRunning ? <p role="status">waiting for the first figures…</p> : null;
  return (
    <table>
      <thead>
        <tr>
          <th>Subject</th>
          <th>Progress</th>
          <th className="right">Done</th>
          <th className="right">Of</th>
        </tr>
      </thead>
      <tbody>
        {[...progress.values()].map(({ subject, done, total }) => (
          <tr key={subject}>
            <td>{wordOf(VerifySubject, subject)}</td>
            <td>
              <progress
                aria-label={wordOf(VerifySubject, subject)}
                max={countOf(total === 0n ? 1n : total)}
                value={countOf(total === 0n ? 1n : done)}
              />
            </td>
            <td className="right">{countText(done)}</td>
            <td className="right">{total === 0n ? null : countText(total)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function Verdict({ verdict: { ok, position, outcomes } }: { readonly verdict: VerifyVerdict }) {
  return (
    <section className="part" aria-label="Verdict">
      <div role="status">
        <h2>
          {ok ? (
            <StateWord tone="good">Everything agrees</StateWord>
          ) : (
            <StateWord tone="bad">Something differs</StateWord>
          )}
          , up to position {countText(position)}
        </h2>
      </div>
      <table>
        <thead>
          <tr>
            <th>Subject</th>
            <th className="right">Compared</th>
            <th className="right">Findings</th>
          </tr>
        </thead>
        <tbody>
          {outcomes.map(({ subject, compared, findings }) => (
            <tr key={subject}>
              <td>{wordOf(VerifySubject, subject)}</td>
              <td className="right">{countText(compared)}</td>
              <td className="right">
                <StateWord tone={findings === 0n ? 'good' : 'bad'}>{countText(findings)}</StateWord>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

function Findings({ findings }: { readonly findings: readonly VerifyFinding[] }) {
  return (
    <section className="part" aria-label="Findings">
      <h2>Findings</h2>
      <div className="scroll" tabIndex={0} role="region" aria-label="Table of findings">
        <table>
          <thead>
            <tr>
              <th>Subject</th>
              <th className="right">Position</th>
              <th>Of</th>
              <th>The log says</th>
              <th>It has</th>
            </tr>
          </thead>
          <tbody>
            {findings.map(({ subject, position, entity, expected, actual }, index) => (
              <tr key={String(index)}>
                <td>{wordOf(VerifySubject, subject)}</td>
                <td className="right">
                  <a href={linkTo('event', String(position))}>{countText(position)}</a>
                </td>
                <td>{entity}</td>
                <td>{expected}</td>
                <td className="bad">{actual}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </section>
  );
}
