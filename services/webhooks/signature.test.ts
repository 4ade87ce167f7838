import { expect, test } from '@jest/globals';
import { newSecret, secretOf, secretText, signatureOf } from './signature.js';

const ID = 'msg_p5jXN8AQM9LWM0D4loKWxJek';
const SIGNED = { id: ID, timestamp_s: 1_614_265_330, body: '{"test": 2432232314}' };

test('a signature is the one of the example of Standard Webhooks', () => {
  const secret = secretOf('whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw');
  if (secret === undefined) throw new Error('the example is a secret');
  expect(signatureOf([secret], SIGNED)).toBe('v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=');
});

test('each of two secrets signs', () => {
  const [one, other] = [newSecret(), newSecret()];
  const both = [signatureOf([one], SIGNED), signatureOf([other], SIGNED)].join(' ');
  expect(signatureOf([one, other], SIGNED)).toBe(both);
});

test('a secret has 24 to 64 bytes, and one way to be written', () => {
  expect(secretOf(secretText(newSecret()))?.length).toBe(32);
  for (const length of [24, 64]) expect(secretOf(secretText(Buffer.alloc(length, 7)))?.length).toBe(length);
  for (const length of [0, 23, 65]) expect(secretOf(secretText(Buffer.alloc(length, 7)))).toBeUndefined();
  // Bits beyond the last byte.
  expect(secretOf(`whsec_${'A'.repeat(42)}B=`)).toBeUndefined();
  expect(secretOf(`whsek_${'A'.repeat(32)}`)).toBeUndefined();
});
