/** The servers that `npm run test:stack` has started for the tests to share. */

/** Where a server is. Of a kind with several servers, each worker of jest has one, so that files that run at once do not share it. */
export function stackServer(kind: 'KAFKA' | 'REDIS' | 'MONGODB' | 'CLICKHOUSE'): string {
  const name = `QUITTANCE_TEST_${kind}`;
  const urls = process.env[name]?.split(' ') ?? [];
  const worker = Number(process.env['JEST_WORKER_ID'] ?? '1');
  const url = urls[(worker - 1) % urls.length];
  if (url === undefined) throw new Error(`${name} is not set: run this test by npm run test:stack`);
  return url;
}

/** The run of `npm run test:stack` that this test is part of. */
export function stackRun(): string {
  const run = process.env['QUITTANCE_TEST_RUN'];
  if (run === undefined) throw new Error('run this test by npm run test:stack');
  return run;
}
