/** A platform without a ledger that the caller may see. */
import { Empty } from '../parts/text.js';

export function NoLedger() {
  return (
    <>
      <h1>Welcome</h1>
      <Empty>
        Here would be your ledgers: each a set of accounts that balances. Press <kbd>n</kbd> to create the
        first one, or run <code>npm run demo</code>, which opens one and plays traffic.
      </Empty>
    </>
  );
}
