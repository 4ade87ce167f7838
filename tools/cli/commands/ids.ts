/** `quittance ids`: what the completion of a shell asks for. */
import { UsageError } from '../../../lib/process/command-line.js';
import { ID_KINDS, maybe, one } from '../flags.js';
import { idsOf } from '../ids.js';
import { put } from '../io.js';
import { CONNECT_FLAGS, FRESHNESS_FLAGS, LEDGER_FLAGS } from '../shared-flags.js';
import { verb } from '../verb.js';

export const IDS = verb({
  name: 'ids',
  summary: 'list ids that begin so, one per line, for the completion of a shell',
  isHidden: true,
  positionals: { kind: one(ID_KINDS.join(', '), ID_KINDS), begun: maybe('what they begin with') },
  flags: { ...FRESHNESS_FLAGS, ...LEDGER_FLAGS, ...CONNECT_FLAGS },
  examples: [['quittance ids account cust --timeout 1s --stale', 'at most 50, kept for 10 seconds']],
  run: async (session, { args: { kind, begun = '' } }) => {
    const known = ID_KINDS.find((each) => each === kind);
    if (known === undefined)
      throw new UsageError(`${JSON.stringify(kind)} is not known; there are ${ID_KINDS.join(', ')}`);
    const ids = await idsOf(session, known, begun);
    await put(session.io, ids.map((id) => `${id}\n`).join(''));
    return undefined;
  },
});
