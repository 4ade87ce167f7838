/** An anchor to keep after a proof, and one of an earlier proof to check against. */
import { useTransport } from '@connectrpc/connect-query';
import { useState } from 'react';
import { countText } from '../numbers.js';
import { type Anchor, anchorAt, anchorOf, hashAt } from '../state/anchor.js';
import { useRoute } from '../state/route.js';
import type { Proof } from '../state/proofs.js';
import { download } from './export.js';
import { FailureNote, StateWord } from './text.js';

interface Checked {
  readonly anchor: Anchor;
  /** Undefined: the ledger has no event there. */
  readonly found: string | undefined;
}

/** @param proof the last one of the ledger; undefined: there is none yet */
export function Anchors({ proof }: { readonly proof: Proof | undefined }) {
  const { ledger } = useRoute();
  const transport = useTransport();
  const [checked, setChecked] = useState<Checked>();
  const [error, setError] = useState<Error | null>(null);
  const orFail = (done: Promise<void>) => {
    setError(null);
    done.catch((failure: unknown) =>
      setError(failure instanceof Error ? failure : new Error(String(failure))),
    );
  };
  const keep = async (position: string) => {
    const anchor = await anchorAt(transport, ledger, BigInt(position));
    download(`anchor-${ledger}-${anchor.position}.json`, `${JSON.stringify(anchor, null, 2)}\n`);
  };
  const check = async (file: File) => {
    setChecked(undefined);
    const anchor = anchorOf(await file.text(), ledger);
    setChecked({ anchor, found: await hashAt(transport, ledger, BigInt(anchor.position)) });
  };
  return (
    <section className="part" aria-label="Anchors">
      <h2>Anchors</h2>
      <p className="muted">
        A history that was rewritten as a whole, hashes and all, agrees with itself. It does not agree with an
        anchor that lies elsewhere. <code>quittance verify --anchor FILE</code> takes the same file.
      </p>
      <div className="filters">
        {proof?.isOk === true ? (
          <button type="button" onClick={() => orFail(keep(proof.position))}>
            Keep an anchor
          </button>
        ) : null}
        <label>
          Check against an anchor{' '}
          <input
            type="file"
            accept=".json,application/json"
            onChange={({ target }) => {
              const [file] = target.files ?? [];
              if (file !== undefined) orFail(check(file));
            }}
          />
        </label>
      </div>
      <FailureNote error={error} />
      {checked === undefined ? null : <Outcome checked={checked} />}
    </section>
  );
}

function Outcome({ checked: { anchor, found } }: { readonly checked: Checked }) {
  const at = countText(BigInt(anchor.position));
  if (found === anchor.hash) {
    return (
      <p role="status">
        <StateWord tone="good">The log agrees with the anchor</StateWord>
        {`: the bytes at position ${at} have its hash, as this browser computed it.`}
      </p>
    );
  }
  return (
    <p role="status">
      <StateWord tone="bad">The log differs from the anchor</StateWord>
      {found === undefined
        ? `: the ledger has no event at position ${at}.`
        : `: the bytes at position ${at} have the hash ${found}, and not ${anchor.hash}.`}
    </p>
  );
}
