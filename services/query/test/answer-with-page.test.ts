import { describe, expect, test } from '@jest/globals';
import type { Message } from '@bufbuild/protobuf';
import {
  type ListLedgersResponse,
  ListLedgersResponseSchema,
} from '../../../gen/quittance/query/v1/ledger_query_service_pb.js';
import { answerWithPage } from '../rpc/answers.js';

const rows = Array.from({ length: 11 }, (_, index) => `ledger${String(index)}`);

/** The page of a caller whose door can send at most so many rows. */
function page(most: number, found: readonly string[], size: number): Promise<ListLedgersResponse> {
  const fits = (answer: Message) => 'ledgers' in answer && (answer.ledgers as unknown[]).length <= most;
  return answerWithPage({ fits }, ListLedgersResponseSchema, { rows: found, size }, (shown, last) =>
    Promise.resolve({ ledgers: shown.map((ledgerId) => ({ ledgerId })), nextPageToken: last ?? '' }),
  );
}

describe('a page', () => {
  test.each([
    ['all that was found, without a token', 100, rows.slice(0, 10), 10, 10, ''],
    ['as many rows as were asked for, and the token of the last', 100, rows, 10, 10, 'ledger9'],
    ['half of them if all are too large for the door', 5, rows, 10, 5, 'ledger4'],
    ['half of the half, and so on', 2, rows, 10, 2, 'ledger1'],
    ['a part with a token even if nothing else was found', 9, rows.slice(0, 10), 10, 5, 'ledger4'],
    ['one row in any case', 0, rows, 10, 1, 'ledger0'],
    ['nothing where nothing was found', 0, [], 10, 0, ''],
  ])('is %s', async (_, most, found, size, shown, token) => {
    const { ledgers, nextPageToken } = await page(most, found, size);
    expect(ledgers.map(({ ledgerId }) => ledgerId)).toEqual(rows.slice(0, shown));
    expect(nextPageToken).toBe(token);
  });
});
