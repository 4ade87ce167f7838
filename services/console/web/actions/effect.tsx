/** What a command does to the accounts that it touches: before, and after. */
import { fromJson, type JsonObject } from '@bufbuild/protobuf';
import { TimestampSchema } from '@bufbuild/protobuf/wkt';
import { useEffect, useRef } from 'react';
import { createClient, type Transport } from '@connectrpc/connect';
import { type Account } from '../../../../gen/quittance/common/v1/account_pb.js';
import { ClosedPeriodSchema } from '../../../../gen/quittance/common/v1/period_pb.js';
import { AccountQueryService } from '../../../../gen/quittance/query/v1/account_query_service_pb.js';
import { PeriodTotals } from '../parts/periods.js';
import { Amount, ExactTime, StateWord, TransactionLink, TransactionState } from '../parts/text.js';
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
  const section = useRef<HTMLElement>(null);
  const answer = sent ?? preview;
  // Below a long form it would not be seen that there is an answer.
  useEffect(() => {
    section.current?.scrollIntoView({ block: 'nearest' });
  }, [answer]);
  if (answer === undefined) return null;
  const { transaction, accounts } = answer;
  return (
    <section ref={section} className="part" aria-label={sent === undefined ? 'Preview' : 'Answer'}>
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
      {accounts.length === 0 ? null : (
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
      )}
      <PeriodEffect json={answer.json} />
    </section>
  );
}

/** Of a command that closes or reopens a period: what is closed then, and what it came to. */
function PeriodEffect({ json }: { readonly json: JsonObject }) {
  const { period, closedThrough } = json;
  if (period !== undefined && period !== null)
    return <PeriodTotals period={fromJson(ClosedPeriodSchema, period)} />;
  if (closedThrough === null || closedThrough === undefined) return null;
  return (
    <p>
      What is dated up to <ExactTime at={fromJson(TimestampSchema, closedThrough)} /> stays closed.
    </p>
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
