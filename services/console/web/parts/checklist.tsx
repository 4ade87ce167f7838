/** The first five minutes: what to do with an empty ledger. Each step ticks itself from what the ledger has. */
import { TransactionStatus } from '../../../../gen/quittance/common/v1/transaction_pb.js';
import { AccountQueryService } from '../../../../gen/quittance/query/v1/account_query_service_pb.js';
import { TransactionQueryService } from '../../../../gen/quittance/query/v1/transaction_query_service_pb.js';
import { linkTo, useRoute } from '../state/route.js';
import { proofStore } from '../state/proofs.js';
import { OFTEN_MS, useFreshness, useRead } from '../state/reads.js';
import { useStore } from '../state/store.js';

/** `@settlement` accounts open themselves. */
const ACCOUNTS_WANTED = 2;

export function Checklist() {
  const { ledger } = useRoute();
  const of = { ledgerId: ledger, consistency: useFreshness(), pageSize: 5 };
  const proof = useStore(proofStore)[ledger];
  const accounts = useRead(AccountQueryService.method.listAccounts, of, OFTEN_MS);
  const posted = useRead(
    TransactionQueryService.method.listTransactions,
    { ...of, status: TransactionStatus.POSTED },
    OFTEN_MS,
  );
  const declined = useRead(
    TransactionQueryService.method.listTransactions,
    { ...of, status: TransactionStatus.DECLINED },
    OFTEN_MS,
  );
  if (!accounts.isSuccess || !posted.isSuccess || !declined.isSuccess) return null;
  const own = accounts.data.accounts.filter(({ accountId }) => !accountId.startsWith('@'));
  const steps = [
    { isDone: true, words: 'Create a ledger.' },
    {
      isDone: own.length >= ACCOUNTS_WANTED,
      words: 'Open two accounts in one currency, such as alice and shop.',
    },
    { isDone: posted.data.transactions.length > 0, words: 'Deposit into one, and pay the other from it.' },
    {
      isDone: declined.data.transactions.length > 0,
      words: 'Pay more than there is: it is declined, with its reason, and kept.',
    },
    { isDone: proof?.isOk === true, words: 'Prove the books.', href: linkTo('proof') },
  ];
  const left = steps.filter(({ isDone }) => !isDone);
  const [last, ...others] = left;
  if (last === undefined) return null;
  // A ledger that is used needs no list of what is done.
  if (last.href !== undefined && others.length === 0)
    return (
      <p>
        Of the first five minutes one thing is left: <a href={last.href}>{last.words}</a>
      </p>
    );
  return (
    <section className="part" aria-label="First steps">
      <h2>The first five minutes</h2>
      <ol className="checklist">
        {steps.map(({ isDone, words, href }) => (
          <li key={words}>
            <span className={isDone ? 'mark good' : 'mark calm'}>
              <span aria-hidden="true">{isDone ? '✓' : '○'}</span>
              <span className="hidden-text">{isDone ? 'done: ' : 'to do: '}</span>
            </span>
            {href === undefined ? words : <a href={href}>{words}</a>}
          </li>
        ))}
      </ol>
      <p className="muted">
        Or let <code>npm run demo</code> fill a ledger of its own.
      </p>
    </section>
  );
}
