/** The secret that a caller gives, or one that is made. */
import { newSecret, secretOf } from '../signature.js';
import { invalidField } from './context.js';

/** @throws CallError INVALID_FIELD */
export function givenOrNewSecret(given: string): Uint8Array {
  if (given === '') return newSecret();
  const secret = secretOf(given);
  if (secret === undefined) throw invalidField('secret', 'must be whsec_ and 24 to 64 bytes in base64');
  return secret;
}
