import { expect, test } from '@jest/globals';
import { grpcAddressOf, parseAddress } from './address.js';

test.each([
  [{}, 'localhost:50051'],
  [{ QUITTANCE_GRPC_PORT: '9001' }, 'localhost:9001'],
  [{ QUITTANCE_HOST: '127.0.0.1', QUITTANCE_GRPC_PORT: ' ' }, '127.0.0.1:50051'],
  [{ QUITTANCE_HOST: '0.0.0.0' }, 'localhost:50051'],
  [{ QUITTANCE_HOST: '::' }, 'localhost:50051'],
  [{ QUITTANCE_HOST: '::1' }, '[::1]:50051'],
])('with %j the server is at %s', (env, address) => {
  expect(grpcAddressOf(env)).toBe(address);
  expect(parseAddress(address)).toBe(address);
});

test('a port that the server chose itself has to be named', () => {
  expect(() => grpcAddressOf({ QUITTANCE_GRPC_PORT: '0' })).toThrow('--address HOST:PORT');
});

test.each([
  '',
  'localhost',
  'localhost:',
  'localhost:0',
  'localhost:70000',
  'http://localhost:1',
  '::1:50051',
])('--address %j is refused', (value) => {
  expect(() => parseAddress(value)).toThrow('It is HOST:PORT');
});
