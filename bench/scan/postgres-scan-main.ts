/** The limit of a rebuild: reads the whole log in keyset pages and decodes every event. Prints {events, elapsed_ms}. */
import { fromBinary } from '@bufbuild/protobuf';
import pg from 'pg';
import { EventSchema } from '../../gen/quittance/event/v1/event_pb.js';

const PAGE = 1000;

const [host = '', port = ''] = process.argv.slice(2);
const client = new pg.Client({ host, port: Number(port), user: 'quittance', database: 'quittance' });
await client.connect();
const started_ms = performance.now();
let after = '-1';
let events = 0;
for (;;) {
  const { rows } = await client.query<{ position: string; event: Buffer }>({
    name: 'page',
    text: 'select position, event, hash from log.events where position > $1 order by position limit $2',
    values: [after, PAGE],
  });
  for (const row of rows) fromBinary(EventSchema, row.event);
  events += rows.length;
  const last = rows.at(-1);
  if (last === undefined) break;
  after = last.position;
}
process.stdout.write(JSON.stringify({ events, elapsed_ms: performance.now() - started_ms }));
await client.end();
