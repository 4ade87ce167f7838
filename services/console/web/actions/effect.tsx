/** What a command does to the accounts that it touches: before, and after. */
import { createClient, type Transport } from '@connectrpc/connect';
import { type Account } from '../../../../gen/quittance/common/v1/account_pb.js';
import { AccountQueryService } from '../../../../gen/quittance/query/v1/account_query_service_pb.js';
import { Amount, StateWord, TransactionLink, TransactionState } from '../parts/text.js';
import type { Answer } from '../state/command.js';

export interface Before {
  readonly accountId: string;
  readonly posted: bigint;
  readonly available: bigint | undefined;
}

/** What the accounts have now. One that would be opened has nothing yet. */
export async function balancesBefore(
  transport: Transport,
  ledgerId: string,
  accounts: readonly Account[],
): Promise<readonly Before[]> {
  const accountIds = accounts.map(({ accountId }) => accountId);
  if (accountIds.length === 0) return [];
  const { balances } = await createClient(AccountQueryService, transport).batchGetBalances({
    ledgerId,
    accountIds,
    consistency: { requirement: { case: 'fullyConsistent', value: true } },
  });
  return balances.map(({ accountId, posted, available }) => ({ accountId, posted, available }));
}

interface EffectProps {
  readonly before: readonly Before[];
  readonly preview: Answer | undefined;
  readonly sent: Answer | undefined;
}

export function Effect({ before, preview, sent }: EffectProps) {
  const answer = sent ?? preview;
  if (answer === undefined) return null;
  const { transaction, accounts } = answer;
  return (
    <section className="part" aria-label={sent === undefined ? 'Preview' : 'Answer'}>
      <div className="title">
        <h2>{sent === undefined ? 'What would happen now' : 'What happened'}</h2>
        {sent?.isReplayed === true ? <span className="chip">replayed</span> : null}
      </div>
      {transaction === undefined ? null : (
        <p>
          <TransactionState transaction={transaction} />{' '}
          {sent === undefined ? null : <TransactionLink id={transaction.transactionId} />}
        </p>
      )}
      {sent === undefined ? null : (
        <p role="status">
          <StateWord tone="good">committed</StateWord> at position {sent.position}
        </p>
      )}
      <table>
        <thead>
          <tr>
            <th>Account</th>
            <th className="right">Posted before</th>
            <th className="right">after</th>
            <th className="right">Available before</th>
            <th className="right">after</th>
          </tr>
        </thead>
        <tbody>
          {accounts.map((account) => (
            <EffectRow
              key={account.accountId}
              account={account}
              before={before.find(({ accountId }) => accountId === account.accountId)}
            />
          ))}
        </tbody>
      </table>
    </section>
  );
}

function EffectRow({ account, before }: { readonly account: Account; readonly before: Before | undefined }) {
  const { balance } = account;
  const money = (minorUnits: bigint | undefined) =>
    minorUnits === undefined ? null : <Amount minorUnits={minorUnits} exponent={balance?.exponent ?? 0} />;
  return (
    <tr>
      <td>{account.accountId}</td>
      <td className="right">{money(before?.posted)}</td>
      <td className="right">{money(balance?.posted)}</td>
      <td className="right">{money(before?.available)}</td>
      <td className="right">{money(balance?.available)}</td>
    </tr>
  );
}
