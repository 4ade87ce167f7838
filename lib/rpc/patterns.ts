/** What the patterns of the contracts ask for, in words: a regular expression alone tells a caller little. */

const ID = 'letters, digits and _ . : -, at most 128 characters, beginning with a letter or digit';

const IN_WORDS: ReadonlyMap<string, string> = new Map([
  [
    '^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$',
    'must be a UUID of 36 lower-case characters, as in 01890a5d-ac96-774b-bcce-b302099a8057',
  ],
  ['^[A-Za-z0-9][A-Za-z0-9_.:-]{0,127}$', `must be an id: ${ID}`],
  [
    '^(@settlement:[A-Z][A-Z0-9_.-]{1,15}|[A-Za-z0-9][A-Za-z0-9_.:-]{0,127})$',
    `must be the id of an account: ${ID}; or @settlement:CUR`,
  ],
  [
    '^[A-Z][A-Z0-9_.-]{1,15}$',
    'must be a currency: a code of ISO 4217, as in EUR, or of an asset of the ledger: 2 to 16 capital letters, digits and _ . -, beginning with a letter',
  ],
  ['^[a-z0-9_.-]{1,64}$', 'must be 1 to 64 characters: small letters, digits and _ . -'],
  ['^whsec_[A-Za-z0-9+/]{32,88}={0,2}$', 'must be a secret of webhooks: whsec_ and 24 to 64 bytes in base64'],
  ['^[a-z]{1,32}$', 'must be the id of a projection: 1 to 32 small letters, as in balances'],
]);

/** The message of a broken rule, in words where it names a pattern of the contracts. */
export function inWords(message: string): string {
  const pattern = /^does not match regex pattern `(.*)`$/.exec(message)?.[1];
  return (pattern === undefined ? undefined : IN_WORDS.get(pattern)) ?? message;
}
