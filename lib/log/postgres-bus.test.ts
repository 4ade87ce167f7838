import { FakeLog } from '../../test/fake-log.js';
import { busContract } from './contract/bus.js';
import { LogTail } from './log-tail.js';
import { logBus } from './postgres-bus.js';

busContract('the log itself', async () => {
  const log = new FakeLog();
  return { log, bus: logBus(new LogTail(log, log.wakeups)), stop: async () => undefined };
});
