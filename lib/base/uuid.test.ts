import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { uuidFromBytes, uuidToBytes } from './uuid.js';

describe('a UUID', () => {
  test('is the same as text and as bytes', () => {
    const property = fc.property(fc.uint8Array({ minLength: 16, maxLength: 16 }), (bytes) => {
      const text = uuidFromBytes(bytes);
      expect(text.replaceAll('-', '')).toBe(Buffer.from(bytes).toString('hex'));
      expect(text).toMatch(/^.{8}-.{4}-.{4}-.{4}-.{12}$/);
      expect(Uint8Array.from(uuidToBytes(text))).toEqual(bytes);
      expect(Uint8Array.from(uuidToBytes(text.toUpperCase()))).toEqual(bytes);
    });
    fc.assert(property);
  });

  test.each([
    '',
    '01890a5d-ac96-774b-bcce-b302099a805',
    '01890a5dxac96-774b-bcce-b302099a8057',
    '01890a5d-ac96-774b-bcce-b302099a805g',
    '01890a5d-ac96-774b-bcce-b302099a80é7',
    '-1890a5d-ac96-774b-bcce-b302099a8057',
  ])('is refused where it is none: %s', (text) => {
    expect(() => uuidToBytes(text)).toThrow(RangeError);
  });

  test('has 16 bytes', () => {
    expect(() => uuidFromBytes(new Uint8Array(15))).toThrow(RangeError);
  });
});
