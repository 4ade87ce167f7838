/** `npm run keys`: makes, lists and revokes API keys. */
import { requireNode } from '../../lib/process/node-version.js';

requireNode(process);
const { commandLine, readCommandLine, runCommand } = await import('../../lib/process/command-line.js');
const { runKeys } = await import('./keys.js');

const KEYS = commandLine({
  name: 'npm run keys --',
  summary:
    'Makes, lists and revokes API keys, for servers with QUITTANCE_AUTH=on. A key is shown once, when it is made; only its hash is kept. ' +
    'A revoked key is refused within seconds, and its streams end.',
  environment: {
    QUITTANCE_DATABASE_URL: 'PostgreSQL of the event log (default: the one of a running embedded Quittance)',
    QUITTANCE_DATA_DIR: 'where the embedded Quittance has its data (default ./.quittance)',
  },
  examples: [
    ['npm run keys -- create billing --scope read:shop --scope write:shop', 'for a year'],
    ['npm run keys -- create prometheus --scope metrics --expires-in never', 'for /metrics'],
    ['npm run keys -- list', 'ids, names, scopes and what has become of them'],
    ['npm run keys -- revoke 3f9a2c7d01be', 'by the id, which stands in the key and in the list'],
  ],
  notes: ['Which scope each method needs: docs/scopes.md. How callers send a key: docs/security.md.'],
})
  .argument('[action]', 'create, list or revoke')
  .argument('[subject]', 'the name of a new key, or the id of the key to revoke')
  .option('--scope <scope...>', 'what the key is for, as in read:LEDGER, write:PREFIX* or admin:*')
  .option('--expires-in <time>', 'a number of days such as 90d, or never', '365d');

process.exitCode = await runCommand(process, async () => {
  const typed = readCommandLine(KEYS, process.argv.slice(2), process);
  if (typed === undefined) return 0;
  const [action, subject] = typed.positionals;
  const { scope = [], expiresIn } = typed.options;
  return runKeys(process, { action, subject, scopes: scope, expiresIn });
});
