/** Documentation that can be checked is checked. */
import { expect, test } from '@jest/globals';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { Code } from '@connectrpc/connect';
import { ErrorReason } from '../gen/quittance/common/v1/error_reason_pb.js';
import { ERROR_CATALOGUE } from '../lib/rpc/error-catalogue.js';

const ROOT = new URL('../', import.meta.url);

function read(path: string): string {
  return readFileSync(new URL(path, ROOT), 'utf8');
}

/** INVALID_ARGUMENT for Code.InvalidArgument. */
function grpcName(code: Code): string {
  return code === Code.Canceled
    ? 'CANCELLED'
    : Code[code].replaceAll(/(?<=[a-z])(?=[A-Z])/g, '_').toUpperCase();
}

test('docs/errors.md lists every reason once, under its code, with a meaning and an example', () => {
  const listed: Record<string, string> = {};
  let code = '';
  for (const line of read('docs/errors.md').split('\n')) {
    code = /^## (\w+)$/.exec(line)?.[1] ?? code;
    const [, reason, meaning, example] = /^\| `(\w+)` \| (.+) \| (.+) \|$/.exec(line) ?? [];
    if (reason === undefined) continue;
    expect(listed).not.toHaveProperty(reason);
    expect(meaning?.length).toBeGreaterThan(10);
    expect(example?.length).toBeGreaterThan(10);
    listed[reason] = code;
  }
  const reasons = Object.values(ErrorReason).filter(
    (reason): reason is ErrorReason => typeof reason === 'number' && reason !== ErrorReason.UNSPECIFIED,
  );
  const expected = reasons.map((reason) => [ErrorReason[reason], grpcName(ERROR_CATALOGUE[reason].code)]);
  expect(listed).toEqual(Object.fromEntries(expected));
});

test('reasons that carry RetryInfo say so in docs/errors.md, and no others', () => {
  const said = [...read('docs/errors.md').matchAll(/^\| `(\w+)` \| .*RetryInfo\./gm)].map(([, name]) => name);
  const carrying = Object.entries(ERROR_CATALOGUE)
    .filter(([, { retryAfter_ms }]) => retryAfter_ms !== undefined)
    .map(([reason]) => ErrorReason[Number(reason)]);
  expect(said.sort()).toEqual(carrying.sort());
});

test('links between the pages lead somewhere', () => {
  const pages = readdirSync(new URL('docs/', ROOT), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.md'))
    .map((name) => `docs/${name}`);
  const broken = ['README.md', 'CONTRIBUTING.md', 'bench/README.md', ...pages].flatMap((page) =>
    [...read(page).matchAll(/\]\((?!https?:)([^)#]+)/g)]
      .map(([, target]) => new URL(target ?? '', new URL(page, ROOT)))
      .filter((target) => !existsSync(target))
      .map((target) => `${page} -> ${target.pathname}`),
  );
  expect(broken).toEqual([]);
});
