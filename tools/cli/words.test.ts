import { expect, test } from '@jest/globals';
import { NOUNS, TOP_VERBS } from './nouns.js';
import { PROGRAMS } from './programs.js';
import { splitWords } from './split-words.js';
import { following } from './words.js';

const WORDS = { nouns: NOUNS, verbs: TOP_VERBS, programs: PROGRAMS.map(({ path }) => path) };

test.each([
  ['payment submit', 'account'],
  ['payment submit alice', 'account'],
  ['payment submit alice shop', undefined],
  ['payment submit --reference order-1 alice', 'account'],
  ['payments capture', 'payment'],
  ['transaction list --account', 'account'],
  ['transaction list', undefined],
  ['account balance alice shop', 'account'],
  ['account open', undefined],
  ['explain --ledger', 'ledger'],
  ['verify', 'ledger'],
])('behind %j may stand the id of: %s', (line, kind) => {
  expect(following(WORDS, line.split(' ')).ids).toBe(kind);
});

test.each([
  ['', 'payment'],
  ['payment', 'submit'],
  ['payment submit alice', '--dry-run'],
  ['transaction list --status', 'declined'],
  ['projection rebuild', 'history'],
  ['server', 'reset'],
  ['completion', 'zsh'],
])('behind %j may stand %s', (line, word) => {
  expect(following(WORDS, line === '' ? [] : line.split(' ')).words).toContain(word);
});

test.each(['payment submit --reference', 'nonsense', 'payment nonsense', 'server reset'])(
  'behind %j nothing is known',
  (line) => {
    expect(following(WORDS, line.split(' '))).toEqual({ words: [], ids: undefined });
  },
);

test('what programs type is offered to no one', () => {
  expect(following(WORDS, []).words).not.toContain('ids');
});

test.each([
  ['payment  submit alice', ['payment', 'submit', 'alice']],
  [`submit '25.00 EUR' "Bob's \\"order\\""`, ['submit', '25.00 EUR', `Bob's "order"`]],
  [`a\\ b 'c'd ""`, ['a b', 'cd', '']],
  ['   ', []],
])('%j is %j', (line, words) => {
  expect(splitWords(line)).toEqual(words);
});

test.each([`pay 'alice`, 'pay "alice', 'pay alice\\'])('%j is not whole', (line) => {
  expect(() => splitWords(line)).toThrow('has no end');
});
