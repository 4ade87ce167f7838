/** How the balance of an account moved by its last entries. */
import { skipToken } from '@connectrpc/connect-query';
import type { Account } from '../../../../gen/quittance/common/v1/account_pb.js';
import { TransactionQueryService } from '../../../../gen/quittance/query/v1/transaction_query_service_pb.js';
import { moneyText } from '../money.js';
import { usePinTime } from '../state/pin-time.js';
import { SELDOM_MS, useFreshness, useRead } from '../state/reads.js';
import { useRoute } from '../state/route.js';
import { Sparkline } from './sparkline.js';

const ENTRIES_MOST = 100;

export function BalanceTrend({ account: { accountId } }: { readonly account: Account }) {
  const { ledger } = useRoute();
  const consistency = useFreshness();
  const { isKnown, end } = usePinTime();
  const list = { ledgerId: ledger, accountId, consistency, descending: true, pageSize: ENTRIES_MOST };
  const { data } = useRead(
    TransactionQueryService.method.listEntries,
    isKnown ? (end === undefined ? list : { ...list, endRecordedTime: end }) : skipToken,
    SELDOM_MS,
  );
  const entries = (data?.entries ?? [])
    .flatMap(({ entry }) => (entry === undefined ? [] : [entry]))
    .reverse();
  const [first] = entries;
  const last = entries.at(-1);
  if (first === undefined || last === undefined || entries.length < 2) return null;
  const values = entries.map(({ postedAfter }) => postedAfter);
  const exponent = last.amount?.exponent ?? 0;
  const from = moneyText(values[0] ?? 0n, exponent);
  const to = moneyText(values.at(-1) ?? 0n, exponent);
  const words = `Balance after each of the last ${String(entries.length)} entries: from ${from} to ${to}`;
  return (
    <div className="figure">
      <dt>Last {entries.length} entries</dt>
      <dd>
        <Sparkline label={words} values={values} />
      </dd>
    </div>
  );
}
