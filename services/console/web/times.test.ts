import { expect, test } from '@jest/globals';
import { timestampOf } from '../../../lib/base/time.js';
import { exactTime, shortTime } from './times.js';

test('a time just before a second is shown in the second that it lies in, in any zone', () => {
  const late = { ...timestampOf(1_700_000_039_999_999n), nanos: 999_999_999 };
  expect(exactTime(late, 'UTC')).toBe('2023-11-14 22:13:59.999999 UTC');
  expect(exactTime(late, 'Asia/Kathmandu')).toBe('2023-11-15 03:58:59.999999 Asia/Kathmandu');
  expect(shortTime(late, 'UTC', new Date('2023-11-14T23:00:00Z'))).toBe('22:13:59');
  expect(shortTime(late, 'UTC', new Date('2023-11-15T00:00:00Z'))).toBe('2023-11-14 22:13');
});
