/** What the page shows, as lines for a terminal. */
import { useRef, useState } from 'react';
import { CopyLines } from '../parts/copy-lines.js';
import { pageCallStore } from '../state/page-call.js';
import { useStore } from '../state/store.js';

export function CopyDialog() {
  const dialog = useRef<HTMLDialogElement>(null);
  const [isOpen, setOpen] = useState(false);
  const call = useStore(pageCallStore);
  return (
    <>
      <button
        type="button"
        id="copy-as"
        className="plain"
        title="c"
        disabled={call === undefined}
        onClick={() => {
          setOpen(true);
          dialog.current?.showModal();
        }}
      >
        Copy as…
      </button>
      <dialog ref={dialog} className="drawer" aria-label="Copy as" onClose={() => setOpen(false)}>
        <div className="part">
          <h2>What this page shows, from a terminal</h2>
          {call === undefined || !isOpen ? null : <CopyLines method={call.method} json={call.json} />}
          <form method="dialog">
            <button type="submit">Close</button>
          </form>
        </div>
      </dialog>
    </>
  );
}
