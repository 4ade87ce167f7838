import { describe, expect, test } from '@jest/globals';
import { addressRule } from './addresses.js';
import { readWebhookNetworks } from './config.js';

describe('unless the operator names networks', () => {
  const rule = addressRule([]);

  test.each([
    '127.0.0.1',
    '0.0.0.0',
    '10.1.2.3',
    '100.64.0.1',
    '169.254.169.254',
    '172.31.255.255',
    '192.168.0.1',
    '198.18.0.1',
    '224.0.0.1',
    '255.255.255.255',
    '::',
    '::1',
    '::ffff:10.0.0.1',
    '::ffff:8.8.8.8',
    '64:ff9b::a00:1',
    '2002:a00:1::',
    '2001:0:a00:1::',
    '2001:db8::1',
    'fc00::1',
    'fd12::1',
    'fe80::1',
    'fe80::1%eth0',
    'fec0::1',
    'ff02::1',
    'localhost',
    '',
  ])('requests do not go to %s', (address) => {
    expect(rule.allows(address, true)).toBe(false);
  });

  test.each(['8.8.8.8', '172.32.0.1', '2606:4700::1111'])('they go to %s, by TLS alone', (address) => {
    expect(rule.allows(address, true)).toBe(true);
    expect(rule.allows(address, false)).toBe(false);
  });
});

test('networks that the operator names are reached with and without TLS, and no others', () => {
  const rule = addressRule(['10.1.0.0/16', 'fd00::/8']);
  for (const isEncrypted of [true, false]) {
    expect(['10.1.2.3', 'fd12::1'].map((address) => rule.allows(address, isEncrypted))).toEqual([true, true]);
    expect(['10.2.0.1', 'fc00::1'].map((address) => rule.allows(address, isEncrypted))).toEqual([
      false,
      false,
    ]);
  }
});

test('networks are read from the environment', () => {
  const read = (value: string) => readWebhookNetworks({ QUITTANCE_WEBHOOK_NETWORKS: value });
  expect(readWebhookNetworks({})).toEqual([]);
  expect(read('10.1.0.0/16, fd00::/8')).toEqual(['10.1.0.0/16', 'fd00::/8']);
  for (const wrong of ['10.1.0.0', '10.1.0.0/33', 'localhost/8', 'fd00::/129', 'yes']) {
    expect(() => read(wrong)).toThrow('QUITTANCE_WEBHOOK_NETWORKS');
  }
});
