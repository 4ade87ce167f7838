/**
 * The order of the test files. Where no earlier run has left durations, jest begins with the largest files. Some small ones take
 * long, and at the end of a run nothing else keeps the other workers busy: in a fresh clone `npm run test:stack` took 700 s, and
 * 489 s where jest knew the durations.
 */
import Sequencer from '@jest/test-sequencer';

/** The longest first, as the runs of .ci/run had them. A file that has become shorter does no harm here. */
export const LONGEST = [
  'tools/stack/test/distributed.stack.test.ts',
  'lib/views/history/mongodb/history.stack.test.ts',
  'services/standalone/test/reads.test.ts',
  'tools/stack/test/losses.stack.test.ts',
  'services/command/test/several-processes.test.ts',
  'services/standalone/test/watch.test.ts',
  'lib/views/reports/clickhouse/reports.stack.test.ts',
  'services/standalone/test/bad-input-lists-and-tokens.test.ts',
  'tools/stack/test/restored-log.stack.test.ts',
  'services/standalone/test/crash.test.ts',
  'lib/views/reports/clickhouse/redelivery.stack.test.ts',
  'services/standalone/test/overload.test.ts',
  'services/console/test/tour.test.ts',
  'services/console/test/places.test.ts',
  'lib/views/history/postgres/history.test.ts',
  'test/help.test.ts',
  'services/verifier/test/verify-ledger.test.ts',
  'services/standalone/engines/postgres-engine.test.ts',
  'services/standalone/test/large-answers.test.ts',
  'lib/views/reports/postgres/reports.test.ts',
  'services/standalone/test/failover.test.ts',
  'lib/base/codec/binary.test.ts',
  'services/command/domain/properties.test.ts',
];

/** Puts these before all others, which stay in jest's own order. */
export default class LongestFirst extends Sequencer {
  sort(tests) {
    const place = ({ path }) => {
      const found = LONGEST.findIndex((file) => path.endsWith(`/${file}`));
      return found === -1 ? LONGEST.length : found;
    };
    return super.sort(tests).toSorted((one, other) => place(one) - place(other));
  }
}
