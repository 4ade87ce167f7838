import { createMongodb } from '../mongodb-client.js';
import { historyContract } from './contract.js';
import { mongodbHistory } from './mongodb-history.js';

let databases = 0;

historyContract('MongoDB', async () => {
  const client = createMongodb(process.env['QUITTANCE_TEST_MONGODB'] ?? '', 'test');
  const database = client.db(`test_${String(process.pid)}_${String(++databases)}`);
  return {
    generations: mongodbHistory(database, { partitions: 12, partitionOf: () => 0 }),
    close: async () => {
      await database.dropDatabase();
      await client.close();
    },
  };
});
