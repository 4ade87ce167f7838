/**
 * Runs the tour of README.md as it stands, each block in bash, against a server on the default ports. A step passes if its
 * commands succeed and the answer holds what follows `→`. With --stand-in, grpcurl is the function that the README offers.
 * With --stack the services are processes of their own, each on its ports.
 */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

/** curl exits with 0 whatever the server answers, unless it has this option; the README's commands stay as they are. */
const PRELUDE = 'set -o pipefail\ncurl() { command curl --fail-with-body -S "$@"; }\n';

const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8');
const tour = readme.slice(readme.indexOf('## A tour'), readme.indexOf('## How it works'));
const standIn = /^grpcurl\(\) \{.*\}$/m.exec(tour)?.[0] ?? '';
const prelude = PRELUDE + (process.argv.includes('--stand-in') ? `${standIn}\n` : '');

let passed = 0;
let failed = 0;
const isStack = process.argv.includes('--stack');
for (const { title, block: pasted, expected } of steps(tour)) {
  const block = isStack ? onStack(pasted) : pasted;
  const { status, stdout, stderr } = spawnSync('bash', ['-c', prelude + block], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: 60_000,
  });
  const answer = compact(stdout);
  const missing = expected.filter((snippet) => !answer.includes(compact(snippet)));
  const program = block.includes('grpcurl') ? 'grpcurl' : 'curl';
  if (status === 0 && missing.length === 0) {
    passed += 1;
    process.stdout.write(`ok   ${title} (${program})\n`);
  } else {
    failed += 1;
    process.stdout.write(
      `FAIL ${title} (${program}): exit ${status}, not in the answer: ${missing.join(' ')}\n`,
    );
    process.stdout.write(`${block}\n${stdout}${stderr}\n`);
  }
}
process.stdout.write(`tour: ${passed} passed, ${failed} failed\n`);
process.exitCode = failed === 0 && passed > 0 ? 0 : 1;

/** The same call at the process of the service that it is of. */
function onStack(block) {
  return block
    .replaceAll(
      /localhost:50051((?:\s+\\?\s*(?:list|describe))?\s+\\?\s*)quittance\.query/g,
      'localhost:50053$1quittance.query',
    )
    .replaceAll(
      /localhost:50051((?:\s+\\?\s*(?:list|describe))?\s+\\?\s*)quittance\.ops/g,
      'localhost:50052$1quittance.ops',
    )
    .replaceAll('localhost:8081/quittance.query', 'localhost:8083/quittance.query')
    .replaceAll('localhost:8081/quittance.ops', 'localhost:8082/quittance.ops');
}

/** Every bash block with the title above it and the expectations of the first `→` line below it. */
function* steps(text) {
  let title = '';
  let waiting = [];
  const parts = text.matchAll(/^### (?<title>.*)$|^```bash\n(?<block>[^]*?)^```$|^→ (?<expected>.*)$/gm);
  for (const { groups } of parts) {
    if (groups.title !== undefined) title = groups.title;
    else if (groups.block !== undefined) waiting.push(groups.block);
    else {
      const expected = [...groups.expected.matchAll(/`([^`]*)`/g)].map(([, snippet]) => snippet);
      for (const block of waiting) yield { title, block, expected };
      waiting = [];
    }
  }
  for (const block of waiting) yield { title, block, expected: [] };
}

/** Servers and tools format JSON as they like. */
function compact(text) {
  return text.replaceAll(/\s+/g, '');
}
