import { expect, test } from '@jest/globals';
import { readConsoleDoors } from '../base/console-config.js';
import { consoleSite } from './console-site.js';

const DOORS = {
  QUITTANCE_CONSOLE_COMMAND_URL: 'http://localhost:8081',
  QUITTANCE_CONSOLE_PROJECTOR_URL: 'https://ops.example',
};

test('the page gets the addresses of the other doors, and its policy lets it call them', () => {
  const doors = readConsoleDoors(DOORS);
  const site = consoleSite('read-only', { hasAuth: true, doors });
  expect(site?.callsTo).toEqual(['http://localhost:8081', 'https://ops.example']);
  expect(site?.settings).toMatchObject({
    isReadOnly: true,
    hasAuth: true,
    commandOrigin: 'http://localhost:8081',
    projectorOrigin: 'https://ops.example',
  });
});

test('where one process answers all, the page calls only that', () => {
  const site = consoleSite('on', { hasAuth: false });
  expect(site?.callsTo).toEqual([]);
  expect(site?.settings).toMatchObject({ isReadOnly: false, commandOrigin: null, projectorOrigin: null });
});

test('off, there is no site', () => {
  expect(consoleSite('off', { hasAuth: false })).toBeUndefined();
});

test('one door of two is as good as none', () => {
  expect(readConsoleDoors({ QUITTANCE_CONSOLE_COMMAND_URL: 'http://localhost:8081' })).toBeUndefined();
});

test.each(['localhost:8081', 'http://localhost:8081/', 'http://localhost:8081/api', 'ftp://localhost'])(
  '%s is no origin',
  (value) => {
    expect(() => readConsoleDoors({ ...DOORS, QUITTANCE_CONSOLE_COMMAND_URL: value })).toThrow(
      'QUITTANCE_CONSOLE_COMMAND_URL',
    );
  },
);
