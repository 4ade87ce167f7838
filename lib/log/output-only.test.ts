import { readdirSync, readFileSync } from 'node:fs';
import { create, type MessageInitShape } from '@bufbuild/protobuf';
import { describe, expect, test } from '@jest/globals';
import {
  CommandSchema,
  PostTransactionRequestSchema,
} from '../../gen/quittance/command/v1/transaction_command_service_pb.js';
import { FeePayer } from '../../gen/quittance/common/v1/transaction_pb.js';
import { canonicalBody } from './canonical-body.js';
import { OUTPUT_ONLY, withoutOutputOnly } from './output-only.js';

type CommandInit = NonNullable<MessageInitShape<typeof CommandSchema>['command']>;

function bodyOf(init: CommandInit): Uint8Array {
  const { command } = create(CommandSchema, { command: init });
  if (command.case === undefined) throw new Error('no command');
  return canonicalBody(command);
}

/** `Message.field` of each field in the contracts whose comment begins with `Output only`. */
function outputOnlyFields(): string[] {
  const root = new URL('../../proto/quittance/', import.meta.url);
  const names = readdirSync(root, { recursive: true, encoding: 'utf8' }).filter((name) =>
    name.endsWith('.proto'),
  );
  return names.flatMap((name) => {
    const text = readFileSync(new URL(name, root), 'utf8');
    const packageName = /^package (.+);$/m.exec(text)?.[1] ?? '';
    return [
      ...text.matchAll(/\/\/ Output only(?:.*\n\s*\/\/)*.*\n\s*(?:optional |repeated )?\S+ (\w+) =/gi),
    ].map((match) => {
      const message = [...text.slice(0, match.index).matchAll(/^message (\w+)/gm)].at(-1)?.[1] ?? '';
      return `${packageName}.${message}.${match[1] ?? ''}`;
    });
  });
}

describe('output-only fields', () => {
  const money = (exponent?: number) => ({
    currency: 'EUR',
    minorUnits: 5n,
    ...(exponent === undefined ? {} : { exponent }),
  });
  const fees = (exponent?: number) => [
    { paidBy: FeePayer.PAYER, toAccountId: 'fees', amount: money(exponent) },
  ];

  test('are all that the contracts call so', () => {
    const known = [...OUTPUT_ONLY].flatMap(([message, fields]) =>
      fields.map((field) => `${message}.${field}`),
    );
    expect(outputOnlyFields()).toEqual(known);
  });

  test.each<[string, (exponent?: number) => CommandInit]>([
    ['Deposit', (exponent) => ({ case: 'deposit', value: { amount: money(exponent) } })],
    ['Withdraw', (exponent) => ({ case: 'withdraw', value: { amount: money(exponent) } })],
    [
      'SubmitPayment',
      (exponent) => ({ case: 'submitPayment', value: { amount: money(exponent), fees: fees(exponent) } }),
    ],
    ['AuthorizePayment', (exponent) => ({ case: 'authorizePayment', value: { amount: money(exponent) } })],
    [
      'CapturePayment',
      (exponent) => ({ case: 'capturePayment', value: { amount: money(exponent), fees: fees(exponent) } }),
    ],
    [
      'RefundPayment',
      (exponent) => ({ case: 'refundPayment', value: { amount: money(exponent), fees: fees(exponent) } }),
    ],
    [
      'PostTransaction',
      (exponent) => ({
        case: 'postTransaction',
        value: { entries: [{ accountId: 'a', amount: money(exponent) }] },
      }),
    ],
  ])('are no part of the canonical body of %s', (_, command) => {
    expect(bodyOf(command(2))).toEqual(bodyOf(command()));
  });

  test('are left out of a copy: the request stays as it is, and one without them is not copied', () => {
    const echoed = create(PostTransactionRequestSchema, {
      entries: [{ amount: money(2) }, { amount: money() }],
    });
    const stripped = withoutOutputOnly(PostTransactionRequestSchema, echoed);
    expect(stripped.entries.map(({ amount }) => amount?.exponent)).toEqual([undefined, undefined]);
    expect(stripped.entries[1]).toBe(echoed.entries[1]);
    expect(echoed.entries[0]?.amount?.exponent).toBe(2);
    expect(withoutOutputOnly(PostTransactionRequestSchema, stripped)).toBe(stripped);
  });
});
