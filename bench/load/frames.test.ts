import { expect, test } from '@jest/globals';
import {
  clientSettings,
  frame,
  FrameType,
  FLAG_END_STREAM,
  grpcHeaders,
  grpcMessage,
  MAX_WINDOW,
  windowUpdate,
} from './frames.js';

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}

test('a frame is length, type, flags, stream and payload', () => {
  expect(hex(frame(FrameType.data, FLAG_END_STREAM, 5, Buffer.from('abc')))).toBe(
    '00000300' + '01' + '00000005' + '616263',
  );
});

test('a long payload and a high stream number use all of their bytes', () => {
  const bytes = frame(FrameType.headers, 0, 0x7ffffffd, Buffer.alloc(0x012345));
  expect(hex(bytes.subarray(0, 9))).toBe('012345' + '01' + '00' + '7ffffffd');
  expect(bytes).toHaveLength(9 + 0x012345);
});

test('the settings are six bytes each: no table, no push, the largest window', () => {
  const settings = ['0001' + '00000000', '0002' + '00000000', '0004' + '7fffffff'];
  expect(hex(clientSettings())).toBe('000012' + '04' + '00' + '00000000' + settings.join(''));
});

test('a window update has its increment in four bytes', () => {
  expect(hex(windowUpdate(3, MAX_WINDOW))).toBe('000004' + '08' + '00' + '00000003' + '7fffffff');
});

test('a gRPC message has a flag and its length before it', () => {
  expect(hex(grpcMessage(Buffer.from('hello')))).toBe('00' + '00000005' + hex(Buffer.from('hello')));
  expect(hex(grpcMessage(new Uint8Array(0)))).toBe('0000000000');
});

test('a header too long for one byte of length is refused, not sent wrong', () => {
  expect(() => grpcHeaders(`/${'x'.repeat(8_192)}`, 'localhost:1', '1S')).toThrow('at most 8192 bytes');
});
