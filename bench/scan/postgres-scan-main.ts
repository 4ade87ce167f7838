/** The limit of a rebuild: reads the whole log in keyset pages and decodes every event. Prints {events, elapsed_ms}. */
import { fromBinary } from '@bufbuild/protobuf';
import pg from 'pg';
import { EventSchema } from '../../gen/quittance/event/v1/event_pb.js';

/** Positions per page; each flush that begins in it is read whole. */
const PAGE = 1000;

const [host = '', port = ''] = process.argv.slice(2);
const client = new pg.Client({ host, port: Number(port), user: 'quittance', database: 'quittance' });
await client.connect();
const started_ms = performance.now();
let after = -1n;
let events = 0;
for (;;) {
  const { rows } = await client.query<{ last: string; ends: string; events: Buffer }>({
    name: 'page',
    text: `select last, ends::text as ends, events from log.flushes
           where first > $1 and first <= $1::bigint + $2::integer order by first`,
    values: [after, PAGE],
  });
  for (const row of rows) {
    let start = 0;
    for (const end of row.ends.slice(1, -1).split(',').map(Number)) {
      fromBinary(EventSchema, row.events.subarray(start, end));
      start = end;
      events += 1;
    }
  }
  const last = rows.at(-1);
  if (last === undefined) break;
  after = BigInt(last.last);
}
process.stdout.write(JSON.stringify({ events, elapsed_ms: performance.now() - started_ms }));
await client.end();
