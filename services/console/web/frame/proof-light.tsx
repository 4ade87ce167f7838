/** Whether the books were proved, and how long ago. */
import { StateWord } from '../parts/text.js';
import { proofStore } from '../state/proofs.js';
import { linkTo } from '../state/route.js';
import { useStore } from '../state/store.js';
import { distance } from '../times.js';

export function ProofLight({ ledger }: { readonly ledger: string }) {
  const proof = useStore(proofStore)[ledger];
  const age = proof === undefined ? '' : distance(new Date(), new Date(proof.time_ms));
  return (
    <a className="chip" href={linkTo('proof')} title="The last proof that this browser saw">
      {proof === undefined ? (
        <StateWord tone="calm">not proved here</StateWord>
      ) : proof.isOk ? (
        <StateWord tone="good">proved {age}</StateWord>
      ) : (
        <StateWord tone="bad">differs, {age}</StateWord>
      )}
    </a>
  );
}
