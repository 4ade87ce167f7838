/** Errors that one process of ours gets from another are sent again as they were. */
import { expect, test } from '@jest/globals';
import { create, toBinary } from '@bufbuild/protobuf';
import { Code } from '@connectrpc/connect';
import { StatusSchema } from '../../gen/google/rpc/status_pb.js';
import { ErrorReason } from '../../gen/quittance/common/v1/error_reason_pb.js';
import { GenerationGoneError } from '../views/view-errors.js';
import { ViewMissingError } from '../views/view.js';
import { callErrorOf, fail, toCallError, toStatus } from './errors.js';

const long = 'x'.repeat(1_000);

test.each([
  ['a reason and a text', fail(ErrorReason.INTERNAL, 'internal error')],
  ['RetryInfo', fail(ErrorReason.QUEUE_FULL, 'full', { retryAfter_ms: 1_234 })],
  [
    'fields, with and without a rule',
    fail(ErrorReason.INVALID_FIELD, long, {
      fields: [
        { field: 'entries[0].amount', description: long, rule: 'string.min_len' },
        { field: 'ledger_id', description: 'is required' },
      ],
    }),
  ],
  [
    'a resource and metadata',
    fail(ErrorReason.ACCOUNT_NOT_FOUND, 'no such account', {
      resource: { type: 'account', name: 'alice' },
      metadata: { index: '3' },
    }),
  ],
  [
    'preconditions, and another code',
    fail(ErrorReason.PAYMENT_ENDED, 'ended', {
      precondition: [{ type: 'PAYMENT', subject: 'p', description: 'has ended' }],
      code: Code.Aborted,
    }),
  ],
])('as bytes: %s', (_name, failure) => {
  const status = toStatus(failure);
  const again = callErrorOf(status);
  expect(again).toBeDefined();
  expect(toBinary(StatusSchema, toStatus(again))).toEqual(toBinary(StatusSchema, status));
});

test('what is not ours is not taken for ours', () => {
  expect(callErrorOf(create(StatusSchema, { code: 14, message: 'connection refused' }))).toBeUndefined();
});

test.each([
  ['that its store has lost', new ViewMissingError('history')],
  ['whose generation was replaced', new GenerationGoneError('history', 3, new Error('no such table'))],
])('a view %s is not there now: the caller may try again', (_name, thrown) => {
  const { reason, message, retryAfter_ms } = toCallError(thrown);
  expect(reason).toBe(ErrorReason.NOT_SERVING);
  expect(message).toContain('history view');
  expect(retryAfter_ms).toBeGreaterThan(0);
});
