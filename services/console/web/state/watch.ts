/** The one open stream of a tab: closed while the tab is hidden, resumed by its token without a gap. */
import { useEffect, useState } from 'react';
import { createClient, type Transport } from '@connectrpc/connect';
import { useTransport } from '@connectrpc/connect-query';
import type { Transaction } from '../../../../gen/quittance/common/v1/transaction_pb.js';
import { TransactionQueryService } from '../../../../gen/quittance/query/v1/transaction_query_service_pb.js';
import { liveStore } from './reads.js';
import { useStore } from './store.js';

const KEPT_MOST = 200;
const RETRY_MS = 1_000;

export interface Feed {
  /** Newest first, at most 200. */
  readonly transactions: readonly Transaction[];
  /** How many have come since the page was opened. */
  readonly count: number;
  readonly isConnected: boolean;
}

const EMPTY: Feed = { transactions: [], count: 0, isConnected: false };

/** Transactions as they are committed, from now on. */
export function useTransactionFeed(ledger: string, account = ''): Feed {
  const transport = useTransport();
  const isLive = useStore(liveStore);
  const [feed, setFeed] = useState(EMPTY);
  useEffect(() => {
    setFeed(EMPTY);
  }, [ledger, account]);
  useEffect(() => {
    if (ledger === '' || !isLive) return undefined;
    return whileVisible((signal, resume) =>
      follow({ transport, ledger, account, signal, resume, onChange: setFeed }),
    );
  }, [transport, ledger, account, isLive]);
  return feed;
}

interface Resume {
  token: string;
}

/** Runs while the tab can be seen; what it returns to survives in `resume`. */
function whileVisible(run: (signal: AbortSignal, resume: Resume) => Promise<void>): () => void {
  const resume: Resume = { token: '' };
  let abort: AbortController | undefined;
  const look = () => {
    if (document.hidden) {
      abort?.abort();
      abort = undefined;
    } else if (abort === undefined) {
      abort = new AbortController();
      void run(abort.signal, resume);
    }
  };
  look();
  document.addEventListener('visibilitychange', look);
  return () => {
    document.removeEventListener('visibilitychange', look);
    abort?.abort();
  };
}

interface Following {
  readonly transport: Transport;
  readonly ledger: string;
  readonly account: string;
  readonly signal: AbortSignal;
  readonly resume: Resume;
  readonly onChange: (change: (feed: Feed) => Feed) => void;
}

/** Goes on from the last token after every end: a server that was killed loses nothing of the feed. */
async function follow({ transport, ledger, account, signal, resume, onChange }: Following): Promise<void> {
  const client = createClient(TransactionQueryService, transport);
  while (!signal.aborted) {
    try {
      const request = { ledgerId: ledger, accountId: account, resumeToken: resume.token };
      for await (const { transaction, resumeToken } of client.watchTransactions(request, { signal })) {
        resume.token = resumeToken;
        onChange((feed) => withOne(feed, transaction));
      }
    } catch {
      // The next try says whether it was more than a moment.
    }
    onChange((feed) => ({ ...feed, isConnected: false }));
    await pause(RETRY_MS, signal);
  }
}

function withOne(feed: Feed, transaction: Transaction | undefined): Feed {
  if (transaction === undefined) return feed.isConnected ? feed : { ...feed, isConnected: true };
  const others = feed.transactions.filter(({ transactionId }) => transactionId !== transaction.transactionId);
  const transactions = [transaction, ...others].slice(0, KEPT_MOST);
  return { transactions, count: feed.count + 1, isConnected: true };
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = window.setTimeout(resolve, ms);
    signal.addEventListener('abort', () => {
      window.clearTimeout(timer);
      resolve();
    });
  });
}
