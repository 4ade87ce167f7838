import { expect, test } from '@jest/globals';
import { readAuth } from '../base/auth-config.js';
import { readConsoleDoors, readConsoleLogin } from '../base/console-config.js';
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

test('the settings of the page name where to log in, and its policy lets it ask there', () => {
  const env = {
    QUITTANCE_AUTH: 'on',
    QUITTANCE_AUTH_ISSUER: 'https://login.example.com/realm',
    QUITTANCE_AUTH_AUDIENCE: 'quittance',
    QUITTANCE_AUTH_JWKS: 'https://login.example.com/jwks',
    QUITTANCE_CONSOLE_CLIENT_ID: 'console',
  };
  const login = readConsoleLogin(env, readAuth(env));
  const site = consoleSite('on', { hasAuth: true, login, doors: readConsoleDoors(DOORS) });
  expect(site?.settings).toMatchObject({
    login: {
      issuer: 'https://login.example.com/realm',
      audience: 'quittance',
      clientId: 'console',
      scope: 'openid',
    },
  });
  expect(site?.callsTo).toEqual([
    'http://localhost:8081',
    'https://ops.example',
    'https://login.example.com',
  ]);
});

test.each([
  [{}, 'QUITTANCE_AUTH_ISSUER'],
  [
    {
      QUITTANCE_AUTH: 'on',
      QUITTANCE_AUTH_ISSUER: 'http://login.example.com',
      QUITTANCE_AUTH_AUDIENCE: 'quittance',
      QUITTANCE_AUTH_JWKS: '/keys.json',
    },
    'a URL with https',
  ],
])('a login without an issuer that can be trusted is refused', (env, why) => {
  const given = { ...env, QUITTANCE_CONSOLE_CLIENT_ID: 'console' };
  expect(() => readConsoleLogin(given, readAuth(given))).toThrow(why);
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
