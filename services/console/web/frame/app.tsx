/** The frame around every page: where you are, as of when, what is true of the books. */
import { type ComponentType, useEffect, useRef } from 'react';
import { LedgerQueryService } from '../../../../gen/quittance/query/v1/ledger_query_service_pb.js';
import { SELDOM_MS, useRead } from '../state/reads.js';
import { goTo, linkIn, linkTo, useRoute } from '../state/route.js';
import { settingsStore, tokenStore } from '../state/session.js';
import { useStore } from '../state/store.js';
import { FailureNote } from '../parts/text.js';
import { ActionDrawer } from '../actions/drawer.js';
import { CopyDialog } from './copy-dialog.js';
import { FaultBoundary } from './fault-boundary.js';
import { Help } from './help.js';
import { PAGES } from './pages.js';
import { Header } from './header.js';
import { Login } from './login.js';
import { NoLedger } from './no-ledger.js';
import { Palette } from './palette.js';
import { useShortcuts } from './shortcuts.js';

export function App() {
  const { hasAuth } = useStore(settingsStore);
  const token = useStore(tokenStore);
  return hasAuth && token === undefined ? <Login /> : <Frame />;
}

function Frame() {
  const { ledger, page } = useRoute();
  const ledgers = useRead(LedgerQueryService.method.listLedgers, { pageSize: 1000 }, SELDOM_MS);
  const only = ledgers.data?.ledgers[0]?.ledgerId;
  useShortcuts();
  useEffect(() => {
    if (ledger === '' && only !== undefined) goTo(linkIn(only, 'overview'));
  }, [ledger, only]);
  const found = PAGES.find(({ name }) => name === page);
  return (
    <div className="frame">
      <Header ledgers={ledgers.data?.ledgers ?? []} />
      <Navigation page={page} isOpen={ledger !== ''} />
      <Main title={found?.title ?? 'Not found'}>
        <FailureNote error={ledgers.error} />
        {ledger !== '' ? (
          <PageOf component={found?.component} />
        ) : ledgers.isSuccess && only === undefined ? (
          <NoLedger />
        ) : null}
      </Main>
      <ActionDrawer />
    </div>
  );
}

function PageOf({ component: Component }: { readonly component: ComponentType | undefined }) {
  const { ledger, page, id } = useRoute();
  if (Component === undefined) return <p>The console has no such page.</p>;
  return (
    <FaultBoundary key={`${ledger}/${page}/${id}`}>
      <Component />
    </FaultBoundary>
  );
}

function Navigation({ page, isOpen }: { readonly page: string; readonly isOpen: boolean }) {
  return (
    <nav aria-label="Pages">
      {PAGES.filter(({ key }) => key !== undefined).map(({ name, title, key, also = [] }) => (
        <a
          key={name}
          href={isOpen ? linkTo(name) : '#/'}
          aria-current={name === page || also.includes(page) ? 'page' : undefined}
        >
          {title}
          <kbd aria-hidden="true">g {key}</kbd>
        </a>
      ))}
      <div className="tools">
        <Palette />
        <CopyDialog />
        <Help />
      </div>
    </nav>
  );
}

/** A screen reader announces a new page by its title, and the keyboard goes on from there. */
function Main({ title, children }: { readonly title: string; readonly children: React.ReactNode }) {
  const main = useRef<HTMLElement>(null);
  const { ledger } = useRoute();
  useEffect(() => {
    document.title = `${title} · ${ledger === '' ? 'Quittance' : ledger}`;
  }, [title, ledger]);
  return (
    <main ref={main} tabIndex={-1}>
      {children}
    </main>
  );
}
