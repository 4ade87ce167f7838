/** Ctrl-K: one line that finds pages, actions, accounts, and what an id is of. */
import { skipToken } from '@connectrpc/connect-query';
import { type KeyboardEvent, useRef, useState } from 'react';
import { AccountQueryService } from '../../../../gen/quittance/query/v1/account_query_service_pb.js';
import { TransactionQueryService } from '../../../../gen/quittance/query/v1/transaction_query_service_pb.js';
import { ACTIONS } from '../actions/catalogue.js';
import { typedPosition } from '../numbers.js';
import { kindWord } from '../parts/words.js';
import { openAction } from '../state/actions.js';
import { useFreshness, useRead } from '../state/reads.js';
import { goTo, linkTo, useRoute } from '../state/route.js';
import { useMay } from '../state/session.js';
import { PAGES } from './pages.js';
import { isUuid, linkOfReference } from './search.js';

interface Entry {
  readonly key: string;
  readonly words: string;
  /** What kind of thing it is. */
  readonly kind: string;
  readonly choose: () => void;
}

const ACCOUNTS_MOST = 8;
const ENTRIES_MOST = 12;
const ACCOUNT = /^[@A-Za-z0-9][\w.:@-]*$/;

export function Palette() {
  const dialog = useRef<HTMLDialogElement>(null);
  const [isOpen, setOpen] = useState(false);
  return (
    <>
      <button
        type="button"
        id="palette"
        className="plain"
        title="Ctrl-K"
        onClick={() => {
          setOpen(true);
          dialog.current?.showModal();
        }}
      >
        Go to…
      </button>
      <dialog ref={dialog} className="palette" aria-label="Go to" onClose={() => setOpen(false)}>
        {isOpen ? <Finder onDone={() => dialog.current?.close()} /> : null}
      </dialog>
    </>
  );
}

function Finder({ onDone }: { readonly onDone: () => void }) {
  const [typed, setTyped] = useState('');
  const [at, setAt] = useState(0);
  const entries = useEntries(typed.trim());
  const chosen = Math.min(at, entries.length - 1);
  const choose = (entry: Entry | undefined) => {
    if (entry === undefined) return;
    onDone();
    entry.choose();
  };
  const onKey = (event: KeyboardEvent) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step !== undefined) setAt(Math.max(0, Math.min(chosen + step, entries.length - 1)));
    if (event.key === 'Enter') choose(entries[chosen]);
    if (step !== undefined || event.key === 'Enter') event.preventDefault();
  };
  return (
    <div className="part">
      <input
        role="combobox"
        aria-label="Go to a page, an action, an account or an id"
        aria-expanded={entries.length > 0}
        aria-controls="palette-entries"
        aria-activedescendant={entries.length > 0 ? `palette-${String(chosen)}` : undefined}
        placeholder="A page, an action, an account, an id, a position"
        autoComplete="off"
        autoFocus
        value={typed}
        onKeyDown={onKey}
        onChange={({ target }) => {
          setTyped(target.value);
          setAt(0);
        }}
      />
      <div id="palette-entries" role="listbox" aria-label="What was found">
        {entries.map((entry, index) => (
          <div
            key={entry.key}
            id={`palette-${String(index)}`}
            role="option"
            aria-selected={index === chosen}
            className="entry"
            onClick={() => choose(entry)}
          >
            <span>{entry.words}</span>
            <span className="muted small">{entry.kind}</span>
          </div>
        ))}
      </div>
      {entries.length === 0 ? <p className="muted">Nothing is called so.</p> : null}
    </div>
  );
}

/** What is found of what is typed: what the server found comes first, and last what may be found among references. */
function useEntries(typed: string): readonly Entry[] {
  const { ledger } = useRoute();
  const may = useMay();
  const found = useFound(typed);
  const words = typed.toLowerCase().split(/\s+/);
  const isMeant = ({ words: own, kind }: Entry) =>
    words.every((word) => `${own} ${kind}`.toLowerCase().includes(word));
  const pages = PAGES.filter(({ key }) => key !== undefined && ledger !== '').map(({ name, title }) => ({
    key: `page ${name}`,
    words: title,
    kind: 'page',
    choose: () => goTo(linkTo(name)),
  }));
  const actions = ACTIONS.filter(({ method }) => may(method, ledger)).map(({ id, title }) => ({
    key: `action ${id}`,
    words: title,
    kind: 'action',
    choose: () => openAction(id),
  }));
  const reference = {
    key: 'reference',
    words: `Transactions of the reference ${typed}`,
    kind: 'reference',
    choose: () => goTo(linkOfReference(typed)),
  };
  const isReference = ledger !== '' && typed !== '' && !isUuid(typed.toLowerCase());
  const known = [...found, ...[...pages, ...actions].filter(isMeant)].slice(0, ENTRIES_MOST);
  return isReference ? [...known, reference] : known;
}

function useFound(typed: string): readonly Entry[] {
  const { ledger } = useRoute();
  const consistency = useFreshness();
  const position = typedPosition(typed);
  const id = typed.toLowerCase();
  const isAsked = ledger !== '' && typed !== '';
  const transaction = useRead(
    TransactionQueryService.method.getTransaction,
    isAsked && isUuid(id) ? { ledgerId: ledger, transactionId: id, consistency } : skipToken,
    false,
  );
  const accounts = useRead(
    AccountQueryService.method.listAccounts,
    isAsked && ACCOUNT.test(typed)
      ? { ledgerId: ledger, accountIdPrefix: typed, consistency, pageSize: ACCOUNTS_MOST }
      : skipToken,
    false,
  );
  if (!isAsked) return [];
  const link = (key: string, words: string, kind: string, to: string): Entry => ({
    key,
    words,
    kind,
    choose: () => goTo(to),
  });
  const known = transaction.data?.transaction;
  // What was there before stays until the next answer: it may be of another text.
  const isIt = known?.transactionId === id;
  return [
    ...(isIt && known.payment !== undefined ? [link('payment', id, 'payment', linkTo('payment', id))] : []),
    ...(isIt ? [link('transaction', id, kindWord(known.kind), linkTo('transaction', id))] : []),
    ...(position === undefined
      ? []
      : [link('event', `Event at position ${String(position)}`, 'event', linkTo('event', String(position)))]),
    ...(accounts.data?.accounts ?? [])
      .filter(({ accountId }) => accountId.startsWith(typed))
      .map(({ accountId, name }) =>
        link(
          `account ${accountId}`,
          name === '' ? accountId : `${accountId}, ${name}`,
          'account',
          linkTo('account', accountId),
        ),
      ),
  ];
}
