/** Puts a database back to what it was, as a restore from a backup does: it is dropped, and made again as it was. */
import { randomBytes } from 'node:crypto';
import pg from 'pg';
import type { TestDatabase } from './postgres.js';

export interface Backup {
  /** Ends every connection to the database and puts this in its place. */
  restore(): Promise<void>;
  drop(): Promise<void>;
}

/** Keeps the database as it is now. Connections to it are ended for a moment. */
export async function backUp(database: TestDatabase): Promise<Backup> {
  const name = String(database.config.database);
  const copy = `${name}_${randomBytes(3).toString('hex')}`;
  await onServer(database, async (client) => {
    await copyOf(client, name, copy);
  });
  return {
    restore: () =>
      onServer(database, async (client) => {
        await client.query(`drop database ${name} with (force)`);
        await client.query(`create database ${name} template ${copy}`);
      }),
    drop: () =>
      onServer(database, async (client) => {
        await client.query(`drop database if exists ${copy} with (force)`);
      }),
  };
}

/** A template must have no connection: what connects again in between makes it fail, and it is tried again. */
async function copyOf(client: pg.Client, from: string, to: string): Promise<void> {
  const OBJECT_IN_USE = '55006';
  await client.query(`alter database ${from} allow_connections false`);
  try {
    for (;;) {
      await client.query(
        `select pg_terminate_backend(pid, 5000) from pg_stat_activity where datname = '${from}'`,
      );
      try {
        await client.query(`create database ${to} template ${from}`);
        return;
      } catch (error) {
        if (!(error instanceof pg.DatabaseError) || error.code !== OBJECT_IN_USE) throw error;
      }
    }
  } finally {
    await client.query(`alter database ${from} allow_connections true`);
  }
}

async function onServer(database: TestDatabase, work: (client: pg.Client) => Promise<void>): Promise<void> {
  const client = new pg.Client({ ...database.config, database: 'postgres' });
  client.on('error', () => undefined);
  await client.connect();
  try {
    await work(client);
  } finally {
    await client.end();
  }
}
