import { expect, test } from '@jest/globals';
import { resolve } from 'node:path';
import { readConfig } from './config.js';

test('an empty environment gives the documented defaults', () => {
  expect(readConfig({ PATH: '/bin', QUITTANCE_DATA_DIR: '' })).toEqual({
    dataDir: resolve('.quittance'),
    host: '127.0.0.1',
    grpcPort: 50051,
    grpcTransport: 'own',
    connectPort: 8081,
    console: 'on',
    corsOrigins: [],
    allowedHosts: [],
    logLevel: 'info',
    databaseUrl: undefined,
    mostDeadLetters: 1_000,
    webhookNetworks: [],
    limits: { commandsPerCaller: 0, commandsPerLedger: 0, queriesPerCaller: 0 },
    warnings: [],
  });
});

test('origins are separated by commas, blanks around them do not matter', () => {
  const config = readConfig({ QUITTANCE_CORS_ORIGINS: 'https://a.example, http://localhost:3000 ,' });
  expect(config.corsOrigins).toEqual(['https://a.example', 'http://localhost:3000']);
});

test.each([
  ['QUITTANCE_GRPC_PORT', '70000', 'a port from 0 to 65535'],
  ['QUITTANCE_CONNECT_PORT', '80a', 'a port from 0 to 65535'],
  ['QUITTANCE_LOG_LEVEL', 'loud', 'trace, debug, info'],
  ['QUITTANCE_INSECURE_LISTEN', 'yes', 'true, false'],
  ['QUITTANCE_CORS_ORIGINS', 'https://a.example/', 'origins such as'],
  ['QUITTANCE_CORS_ORIGINS', '*', 'origins such as'],
  ['QUITTANCE_HOST', '127.0.0.1:50051', 'without a port'],
  ['QUITTANCE_LIMIT_CALLER_COMMANDS', '999', 'from 1000 to 1000000'],
  ['QUITTANCE_LIMIT_LEDGER_COMMANDS', '-1', '0 (no limit), or'],
  ['QUITTANCE_LIMIT_CALLER_QUERIES', '1e3', 'from 1 to 1000000'],
])('%s=%s is refused by a line with the variable, the value and what is allowed', (name, value, allowed) => {
  expect(() => readConfig({ [name]: value })).toThrow(`${name} is "${value}"; allowed: `);
  expect(() => readConfig({ [name]: value })).toThrow(allowed);
});

test('a bad database URL is refused without repeating the password in it', () => {
  const read = (): unknown => readConfig({ QUITTANCE_DATABASE_URL: 'mysql://me:secret@host/db' });
  expect(read).toThrow('QUITTANCE_DATABASE_URL');
  expect(read).not.toThrow('secret');
});

test('callers who prove who they are have limits, which may be set or lifted', () => {
  expect(readConfig({ QUITTANCE_AUTH: 'on' }).limits).toEqual({
    commandsPerCaller: 20_000,
    commandsPerLedger: 20_000,
    queriesPerCaller: 20_000,
  });
  const set = { QUITTANCE_LIMIT_CALLER_COMMANDS: '1000', QUITTANCE_LIMIT_CALLER_QUERIES: '0' };
  expect(readConfig({ QUITTANCE_AUTH: 'on', ...set }).limits).toEqual({
    commandsPerCaller: 1_000,
    commandsPerLedger: 20_000,
    queriesPerCaller: 0,
  });
});

test('what is said of an issuer without authentication, or in part, is refused', () => {
  const issuer = { QUITTANCE_AUTH_ISSUER: 'https://login.example', QUITTANCE_AUTH_AUDIENCE: 'quittance' };
  expect(() => readConfig(issuer)).toThrow('is set without QUITTANCE_AUTH=on');
  expect(() => readConfig({ ...issuer, QUITTANCE_AUTH: 'on' })).toThrow('QUITTANCE_AUTH_JWKS is not set');
  const withKeys = (jwks: string) =>
    readConfig({ ...issuer, QUITTANCE_AUTH: 'on', QUITTANCE_AUTH_JWKS: jwks });
  expect(() => withKeys('http://login.example/jwks')).toThrow('a URL with https');
  expect(withKeys('https://login.example/jwks').auth?.issuer?.jwks).toEqual({
    url: 'https://login.example/jwks',
  });
  expect(withKeys('/etc/quittance/jwks.json').auth?.issuer?.jwks).toEqual({
    path: '/etc/quittance/jwks.json',
  });
});

test('variables of the command line are passed over', () => {
  expect(() => readConfig({ QUITTANCE_CLI_ADDRESS: 'ledger.example:50051' })).not.toThrow();
});

test('TLS in part is refused', () => {
  expect(() => readConfig({ QUITTANCE_TLS_CERT_FILE: 'cert.pem' })).toThrow(
    'QUITTANCE_TLS_KEY_FILE is not set',
  );
  expect(() => readConfig({ QUITTANCE_TLS_CLIENT_CA_FILE: 'ca.pem' })).toThrow(
    'QUITTANCE_TLS_CERT_FILE and QUITTANCE_TLS_KEY_FILE is not set',
  );
});

test('a misspelt variable is refused with the nearest one', () => {
  expect(() => readConfig({ QUITTANCE_GRCP_PORT: '1' })).toThrow(
    'QUITTANCE_GRCP_PORT is not a variable of Quittance; did you mean QUITTANCE_GRPC_PORT?',
  );
});

test('both doors on one port are refused', () => {
  expect(() => readConfig({ QUITTANCE_GRPC_PORT: '9000', QUITTANCE_CONNECT_PORT: '9000' })).toThrow(
    'port of its own',
  );
});

test.each(['127.0.0.1', '127.1.2.3', '::1', 'localhost'])('%s is served without authentication', (host) => {
  expect(readConfig({ QUITTANCE_HOST: host }).warnings).toEqual([]);
});

test.each(['0.0.0.0', '::', '192.168.1.2', 'db.example.com', '::ffff:10.0.0.1'])(
  '%s without authentication is refused or allowed with a warning; with authentication tokens want TLS',
  (host) => {
    expect(() => readConfig({ QUITTANCE_HOST: host })).toThrow(
      'without authentication every caller who reaches',
    );
    expect(readConfig({ QUITTANCE_HOST: host, QUITTANCE_INSECURE_LISTEN: 'true' }).warnings).toHaveLength(1);
    const { warnings } = readConfig({ QUITTANCE_HOST: host, QUITTANCE_AUTH: 'on' });
    expect(warnings).toEqual([expect.stringContaining('in the clear')]);
    const tls = { QUITTANCE_TLS_CERT_FILE: 'cert.pem', QUITTANCE_TLS_KEY_FILE: 'key.pem' };
    expect(readConfig({ QUITTANCE_HOST: host, QUITTANCE_AUTH: 'on', ...tls }).warnings).toEqual([]);
  },
);
