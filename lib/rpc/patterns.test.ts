import { readdirSync, readFileSync } from 'node:fs';
import { create } from '@bufbuild/protobuf';
import { describe, expect, test } from '@jest/globals';
import { DepositRequestSchema } from '../../gen/quittance/command/v1/transaction_command_service_pb.js';
import { CallError } from './errors.js';
import { inWords } from './patterns.js';
import { checkMessage } from './validation.js';

describe('a value that a pattern of the contracts forbids', () => {
  test('each pattern is said in words', () => {
    const root = new URL('../../proto/quittance/', import.meta.url);
    const files = readdirSync(root, { recursive: true, encoding: 'utf8' }).filter((name) =>
      name.endsWith('.proto'),
    );
    const patterns = files.flatMap((name) =>
      [...readFileSync(new URL(name, root), 'utf8').matchAll(/pattern(?: =|:) "([^"]*)"/g)].map(
        ([, text = '']) => text,
      ),
    );
    expect(patterns.length).toBeGreaterThan(80);
    const unsaid = patterns.filter((pattern) =>
      inWords(`does not match regex pattern \`${pattern}\``).includes('regex'),
    );
    expect([...new Set(unsaid)]).toEqual([]);
  });

  test('a bad request_id is answered with what a UUID looks like', () => {
    const request = create(DepositRequestSchema, {
      ledgerId: 'main',
      requestId: '01890A5D-AC96-774B-BCCE-B302099A8057',
      accountId: 'alice',
      amount: { currency: 'EUR', minorUnits: 1n },
    });
    const field = 'request_id';
    const description =
      'must be a UUID of 36 lower-case characters, as in 01890a5d-ac96-774b-bcce-b302099a8057';
    expect(
      errorOf(() => {
        checkMessage(DepositRequestSchema, request);
      }),
    ).toMatchObject({
      message: `${field}: ${description}`,
      details: { fields: [{ field, description, rule: 'string.pattern' }] },
    });
  });
});

function errorOf(run: () => void): CallError {
  try {
    run();
  } catch (error) {
    if (error instanceof CallError) return error;
    throw error;
  }
  throw new Error('no error');
}
