/** Entry: the console in its page. */
import { TransportProvider } from '@connectrpc/connect-query';
import { QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { createRoot } from 'react-dom/client';
import { Code, ConnectError } from '@connectrpc/connect';
import { App } from './frame/app.js';
import { endLogin } from './state/oidc.js';
import { applyPreferences } from './state/preferences.js';
import { loadSettings, settingsStore } from './state/session.js';
import { createRoutedTransport } from './state/transport.js';
import './tokens.css';
import './console.css';

const RETRIES_MOST = 2;
const PASSING: readonly Code[] = [Code.Unavailable, Code.DeadlineExceeded, Code.Unknown];

/** What passes is tried again; what the caller must put right is shown at once. */
const queries = new QueryClient({
  defaultOptions: {
    queries: {
      retry: (count, error) => count < RETRIES_MOST && PASSING.includes(ConnectError.from(error).code),
      refetchOnWindowFocus: true,
    },
  },
});

applyPreferences(document.documentElement);
const root = document.getElementById('root');
if (root === null) throw new Error('the page has no root');
await loadSettings();
await endLogin(settingsStore.get().login);
createRoot(root).render(
  <TransportProvider transport={createRoutedTransport(settingsStore.get())}>
    <QueryClientProvider client={queries}>
      <App />
    </QueryClientProvider>
  </TransportProvider>,
);
