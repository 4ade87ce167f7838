/** The six totals of a payment, and what remains of its hold. */
import { timestampDate } from '@bufbuild/protobuf/wkt';
import type { Payment } from '../../../../gen/quittance/common/v1/transaction_pb.js';
import { linkTo } from '../state/route.js';
import { zoneStore } from '../state/preferences.js';
import { useStore } from '../state/store.js';
import { distance, exactTime } from '../times.js';
import { AccountLink, Amount, Pairs } from './text.js';

/** What can still be captured: captured, voided and expired together end at what was authorized. */
export function remainingOf({ authorized, captured, voided, expired }: Payment): bigint {
  return authorized - captured - voided - expired;
}

/** Only of a hold that is open: another one is not going to expire. */
export function Expiry({ payment }: { readonly payment: Payment | undefined }) {
  const zone = useStore(zoneStore);
  if (payment?.expireTime === undefined || remainingOf(payment) === 0n) return null;
  return (
    <time title={exactTime(payment.expireTime, zone)}>
      {distance(new Date(), timestampDate(payment.expireTime))}
    </time>
  );
}

export function PaymentSummary({ payment }: { readonly payment: Payment }) {
  const money = (minorUnits: bigint) => (
    <Amount minorUnits={minorUnits} exponent={payment.exponent} currency={payment.currency} />
  );
  const remaining = remainingOf(payment);
  const expires = payment.expireTime;
  return (
    <section className="part" aria-label="Payment">
      <h2>
        <a href={linkTo('payment', payment.paymentId)}>Payment</a>
      </h2>
      <Pairs
        of={[
          ['Payer', <AccountLink key="payer" id={payment.payerAccountId} />],
          ['Payee', <AccountLink key="payee" id={payment.payeeAccountId} />],
          ['Authorized', money(payment.authorized)],
          ['Captured', money(payment.captured)],
          ['Voided', money(payment.voided)],
          ['Expired', money(payment.expired)],
          ['Refunded', money(payment.refunded)],
          ['Reversed', money(payment.reversed)],
          ['Remaining', money(remaining)],
          [
            'Expires',
            expires === undefined || remaining === 0n ? (
              'no hold is open'
            ) : (
              <Expiry key="expires" payment={payment} />
            ),
          ],
        ]}
      />
    </section>
  );
}
