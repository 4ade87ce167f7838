import { FakeLog } from '../../test/fake-log.js';
import { busContract } from './contract/bus.js';
import { logBus } from './postgres-bus.js';

busContract('the log itself', async () => {
  const log = new FakeLog();
  return { log, bus: logBus(log), stop: async () => undefined };
});
