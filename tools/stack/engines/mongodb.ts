/**
 * A server that speaks MongoDB's protocol: no package registry carries MongoDB itself, so a stand-in of PyPI on MongoDB's own
 * storage engine. It is a program of its own and no part of Quittance; its figures say nothing about MongoDB.
 */
import { join } from 'node:path';
import { MongoClient } from 'mongodb';
import { type Engine, type EnginePlace, installRoot, startProgram } from './engine.js';
import { installPackages, madeOnce, needProgram, run } from './install.js';

const VERSION = '0.7.0b3';
const environment = () => join(installRoot(), `secantusdb-${VERSION}`);

/** The installed program, and what it is started with everywhere. */
export function mongodbCommand({ host, port, directory }: EnginePlace): {
  readonly command: string;
  readonly args: readonly string[];
} {
  const data = join(directory, 'data');
  return {
    command: join(environment(), 'bin', 'secantusd-py'),
    args: ['--host', host, '--port', String(port), '--storage-path', data, '--log-level', 'WARNING'],
  };
}

export const mongodb: Engine = {
  name: 'mongodb',
  install: async () => {
    await needProgram('python3', ['python3', 'python3-venv']);
    const target = environment();
    await madeOnce(join(target, 'made'), async (temporary) => {
      // A virtual environment cannot be moved: it is made in its final place, and the directory that marks it as complete last.
      const make = () => run('python3', ['-m', 'venv', target]);
      await make().catch(async () => {
        // Debian's python3 comes without the module venv, which is not a program to look for on the PATH.
        await installPackages(['python3-venv']);
        await make();
      });
      await run(join(target, 'bin', 'pip'), ['-q', 'install', `secantusdb==${VERSION}`]);
      await run('mkdir', [temporary]);
    });
  },
  start: (place) => {
    const { host, port, directory } = place;
    const { command, args } = mongodbCommand(place);
    const url = `mongodb://${host}:${String(port)}/quittance?directConnection=true`;
    return startProgram({
      name: 'mongodb',
      url,
      directory,
      command,
      args: [...args, '--sync-on-commit'],
      isReady: async () => {
        const client = new MongoClient(url, { serverSelectionTimeoutMS: 1_000 });
        try {
          await client.db('admin').command({ ping: 1 });
          return true;
        } finally {
          await client.close();
        }
      },
    });
  },
};
