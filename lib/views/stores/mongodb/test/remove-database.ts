/** Databases of tests on the MongoDB that the run has started. */
import { type Db, MongoClient } from 'mongodb';
import { stackServer } from '../../../../../test/stack-servers.js';

/**
 * Removes a database of a test. The stand-in server needs more time for hundreds of collections than the platform's clients wait
 * for an answer.
 */
export async function removeDatabase({ databaseName }: Db): Promise<void> {
  const patient = new MongoClient(stackServer('MONGODB'));
  await patient.db(databaseName).dropDatabase();
  await patient.close();
}
