import type { LookupAddress } from 'node:dns';
import { describe, expect, test } from '@jest/globals';
import { namesByDns, type Queries } from './names.js';

const withCode = (code: string) => Promise.reject(Object.assign(new Error(code), { code }));

/** What a look-up by these answers comes to: addresses, or the code of its error. */
function lookedUp(name: string, queries: Queries): Promise<string | LookupAddress[]> {
  return new Promise((resolve) => {
    namesByDns(queries)(name, { all: true }, (error, addresses) => {
      resolve(error === null ? addresses : (error.code ?? ''));
    });
  });
}

const NO_SERVER: Queries = { resolve4: () => withCode('ECONNREFUSED'), resolve6: () => withCode('ETIMEOUT') };

describe('a name is resolved', () => {
  test('to the addresses of both families', async () => {
    const queries = {
      resolve4: () => Promise.resolve(['8.8.8.8']),
      resolve6: () => Promise.resolve(['2606::1']),
    };
    expect(await lookedUp('receiver.test', queries)).toEqual([
      { address: '8.8.8.8', family: 4 },
      { address: '2606::1', family: 6 },
    ]);
  });

  test('to those of one where the other has none, or is not known', async () => {
    for (const code of ['ENODATA', 'ESERVFAIL']) {
      const queries = { resolve4: () => Promise.resolve(['8.8.8.8']), resolve6: () => withCode(code) };
      expect(await lookedUp('receiver.test', queries)).toEqual([{ address: '8.8.8.8', family: 4 }]);
    }
  });

  test('to an error that says whether it has none or is not known now', async () => {
    const none = { resolve4: () => withCode('ENOTFOUND'), resolve6: () => withCode('ENODATA') };
    expect(await lookedUp('receiver.test', none)).toBe('ENOTFOUND');
    const half = { resolve4: () => withCode('ENODATA'), resolve6: () => withCode('ESERVFAIL') };
    expect(await lookedUp('receiver.test', half)).toBe('EAI_AGAIN');
    expect(await lookedUp('receiver.test', NO_SERVER)).toBe('EAI_AGAIN');
  });

  test('to this machine, without any server, where it says so', async () => {
    for (const name of ['localhost', 'localhost.', 'hook.localhost']) {
      expect(await lookedUp(name, NO_SERVER)).toEqual([
        { address: '127.0.0.1', family: 4 },
        { address: '::1', family: 6 },
      ]);
    }
    expect(await lookedUp('notlocalhost', NO_SERVER)).toBe('EAI_AGAIN');
  });
});
