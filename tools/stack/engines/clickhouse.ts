/** ClickHouse's engine behind its HTTP interface: no package registry carries the server, but npm its engine as a library. */
import { cpSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { type Engine, installRoot, projectRoot, startProgram } from './engine.js';
import { madeOnce, run } from './install.js';

const installed = () => join(installRoot(), 'clickhouse');

export const clickhouse: Engine = {
  name: 'clickhouse',
  install: () =>
    madeOnce(installed(), async (temporary) => {
      mkdirSync(temporary, { recursive: true });
      cpSync(join(projectRoot(), 'deploy', 'clickhouse', 'package.json'), join(temporary, 'package.json'));
      await run('npm', ['install', '--no-audit', '--no-fund', '--no-package-lock'], temporary);
    }),
  start: ({ host, port, directory }) => {
    const url = `http://${host}:${String(port)}`;
    return startProgram({
      name: 'clickhouse',
      url,
      directory,
      command: process.execPath,
      args: [
        join(projectRoot(), 'deploy', 'clickhouse', 'server.mjs'),
        '--host',
        host,
        '--port',
        String(port),
        '--path',
        join(directory, 'data'),
        '--engine',
        join(installed(), 'node_modules', 'chdb'),
      ],
      isReady: async () => (await fetch(`${url}/ping`)).ok,
    });
  },
};
