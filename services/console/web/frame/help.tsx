/** The keys, on one card. */
import { useRef } from 'react';

const KEYS = [
  ['Ctrl-K', 'go to a page, an action, an account or an id'],
  ['/', 'search: an id, a position, an account, a reference'],
  ['g and a letter', 'go to the page that has this letter'],
  ['j, k, Enter', 'down, up, open: in a list'],
  ['c', 'copy what the page shows as curl, grpcurl or a command line'],
  ['n', 'do something new: pay, open an account…'],
  ['l', 'live or paused'],
  ['t', 'time machine: pin all pages to a position or a time'],
  ['Esc', 'close what is open'],
] as const;

export function Help() {
  const dialog = useRef<HTMLDialogElement>(null);
  return (
    <>
      <button type="button" id="help" className="plain" title="?" onClick={() => dialog.current?.showModal()}>
        Keys
      </button>
      <dialog ref={dialog} className="palette" aria-label="Keys">
        <h2>Keys</h2>
        <dl className="pairs">
          {KEYS.map(([key, words]) => (
            <div key={key} style={{ display: 'contents' }}>
              <dt>
                <kbd>{key}</kbd>
              </dt>
              <dd>{words}</dd>
            </div>
          ))}
        </dl>
        <form method="dialog">
          <button type="submit">Close</button>
        </form>
      </dialog>
    </>
  );
}
