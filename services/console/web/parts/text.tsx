/** Small pieces that all pages show alike: money, times, ids, states, failures. */
import type { Timestamp } from '@bufbuild/protobuf/wkt';
import { type ReactNode, useEffect, useState } from 'react';
import { LimitKind } from '../../../../gen/quittance/common/v1/account_pb.js';
import type { Transaction } from '../../../../gen/quittance/common/v1/transaction_pb.js';
import { TransactionStatus } from '../../../../gen/quittance/common/v1/transaction_pb.js';
import { moneyText } from '../money.js';
import { linkTo } from '../state/route.js';
import { failureOf } from '../state/errors.js';
import { zoneStore } from '../state/preferences.js';
import { useStore } from '../state/store.js';
import { exactTime, shortTime } from '../times.js';
import { declineWord, limitWord, statusWord } from './words.js';

export function Amount({
  minorUnits,
  exponent,
  currency,
}: {
  readonly minorUnits: bigint | string;
  readonly exponent: number;
  readonly currency?: string;
}) {
  return (
    <span className="amount">
      {moneyText(minorUnits, exponent)}
      {currency === undefined ? '' : ` ${currency}`}
    </span>
  );
}

export function Time({ at }: { readonly at: Timestamp | undefined }) {
  const zone = useStore(zoneStore);
  return <time title={exactTime(at, zone)}>{shortTime(at, zone)}</time>;
}

export function ExactTime({ at }: { readonly at: Timestamp | undefined }) {
  return <time>{exactTime(at, useStore(zoneStore))}</time>;
}

/** An id that can be copied. */
export function Id({ value, href }: { readonly value: string; readonly href?: string }) {
  return (
    <span className="mono">
      {href === undefined ? value : <a href={href}>{value}</a>}
      <CopyButton text={value} what="id" />
    </span>
  );
}

export function AccountLink({ id }: { readonly id: string }) {
  return id === '' ? null : <a href={linkTo('account', id)}>{id}</a>;
}

export function TransactionLink({ id }: { readonly id: string }) {
  return id === '' ? null : (
    <a className="mono" href={linkTo('transaction', id)}>
      {id}
    </a>
  );
}

const COPIED_MS = 1_200;

export function CopyButton({ text, what }: { readonly text: string; readonly what: string }) {
  const [isCopied, setCopied] = useState(false);
  useEffect(() => {
    if (!isCopied) return undefined;
    const timer = window.setTimeout(() => setCopied(false), COPIED_MS);
    return () => window.clearTimeout(timer);
  }, [isCopied]);
  return (
    <button
      type="button"
      className="plain muted small"
      aria-label={isCopied ? `${what} copied` : `copy ${what}`}
      onClick={() => {
        void navigator.clipboard.writeText(text).then(() => setCopied(true));
      }}
    >
      {isCopied ? '✓' : 'copy'}
    </button>
  );
}

/** A word and a sign beside every colour. */
export function StateWord({ tone, children }: { readonly tone: Tone; readonly children: ReactNode }) {
  const signs = { good: '●', warn: '▲', bad: '✕', calm: '○' };
  return (
    <span className={tone}>
      <span aria-hidden="true">{signs[tone]} </span>
      {children}
    </span>
  );
}

export type Tone = 'good' | 'warn' | 'bad' | 'calm';

export function TransactionState({
  transaction: { status, declineReason, exceededLimit, forced },
}: {
  readonly transaction: Transaction;
}) {
  if (status === TransactionStatus.DECLINED)
    return (
      <StateWord tone="bad">
        declined: {declineWord(declineReason)}
        {exceededLimit === LimitKind.UNSPECIFIED ? '' : ` (${limitWord(exceededLimit)})`}
      </StateWord>
    );
  return (
    <StateWord tone={toneOf(status)}>
      {statusWord(status)}
      {forced ? <span className="warn">, forced</span> : null}
    </StateWord>
  );
}

function toneOf(status: TransactionStatus): Tone {
  switch (status) {
    case TransactionStatus.POSTED:
    case TransactionStatus.CAPTURED:
      return 'good';
    case TransactionStatus.AUTHORIZED:
      return 'warn';
    default:
      return 'calm';
  }
}

/** What a call failed by; nothing if it did not. */
export function FailureNote({ error }: { readonly error: Error | null }) {
  if (error === null) return null;
  const { reason, message, fields } = failureOf(error);
  return (
    <div className="error" role="alert">
      {reason === '' ? null : <strong>{reason} </strong>}
      {message}
      {fields.map((field) => (
        <div key={field}>{field}</div>
      ))}
    </div>
  );
}

export function Empty({ children }: { readonly children: ReactNode }) {
  return <div className="empty">{children}</div>;
}

/** Terms and what they are. */
export function Pairs({ of }: { readonly of: readonly (readonly [string, ReactNode])[] }) {
  return (
    <dl className="pairs">
      {of.map(([term, value]) => (
        <div key={term} style={{ display: 'contents' }}>
          <dt>{term}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}
