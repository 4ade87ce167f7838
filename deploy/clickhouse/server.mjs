/**
 * ClickHouse's engine, as the library chDB has it, behind the part of ClickHouse's HTTP interface that @clickhouse/client
 * speaks: for the local stack, where no server can be installed. One user, no password, loopback only.
 *
 *     node server.mjs --host 127.0.0.1 --port 8123 --path DIR [--engine DIR/node_modules/chdb]
 *
 * Unlike a server, the engine runs statements with parameters one at a time, over all sessions: two at once would see each
 * other's parameters. Statements without parameters, and inserts, run at the same time as they.
 */
import { mkdirSync } from 'node:fs';
import http from 'node:http';
import { createRequire } from 'node:module';
import { parseArgs } from 'node:util';
import { gunzipSync } from 'node:zlib';

const BODY_MAX_BYTES = 64 * 1024 * 1024;
/** Parameters come in the URL. As a ClickHouse server has it. */
const URL_MAX_BYTES = 1024 * 1024;
/** A session runs one statement at a time. */
const SESSIONS = 4;
const QUEUE_MAX = 500;
/** How long a stop waits for statements that run. */
const DRAIN_MS = 5_000;
/** Parameters of the URL that are not settings of the engine. */
const NOT_SETTINGS = new Set([
  'query',
  'query_id',
  'database',
  'session_id',
  'role',
  'wait_end_of_query',
  'default_format',
]);
/** Settings of the HTTP interface or of a server's queue of inserts, which the library does not have. */
const NOT_HERE =
  /^(enable_http_compression|http_|send_progress|async_insert|wait_for_async_insert|insert_quorum|select_sequential|readonly|param_)/;

const { values: options } = parseArgs({
  options: {
    host: { type: 'string', default: '127.0.0.1' },
    port: { type: 'string', default: '8123' },
    path: { type: 'string' },
    engine: { type: 'string', default: 'chdb' },
  },
});
if (options.path === undefined) giveUp('--path DIR is needed');
if (!['127.0.0.1', '::1', 'localhost'].includes(options.host)) {
  giveUp('this server has no authentication, so it listens on the loopback interface only');
}
const idle = openSessions();
const waiting = [];

function openSessions() {
  try {
    mkdirSync(options.path, { recursive: true });
    const { Session } = createRequire(import.meta.url)(options.engine);
    return Array.from({ length: SESSIONS }, () => ({
      session: new Session(options.path),
      database: 'default',
    }));
  } catch (error) {
    // Code 76: another process has the directory.
    return giveUp(error instanceof Error ? error.message : String(error));
  }
}

function giveUp(why) {
  process.stderr.write(`clickhouse: ${why}\n`);
  process.exit(1);
}

/** Runs a statement on a session of its own, in the order of arrival; not at all if its client has left. */
async function onSession(database, isWanted, work) {
  let one = idle.pop();
  if (one === undefined) {
    if (waiting.length >= QUEUE_MAX)
      throw Object.assign(
        new Error('Code: 202. DB::Exception: Too many simultaneous queries. (TOO_MANY_SIMULTANEOUS_QUERIES)'),
        { status: 503 },
      );
    one = await new Promise((resolve) => waiting.push(resolve));
  }
  try {
    if (!isWanted()) throw new Error('Code: 394. DB::Exception: The client is gone. (QUERY_WAS_CANCELLED)');
    if (database !== one.database) {
      await one.session.queryAsync(`USE \`${database.replaceAll('`', '')}\``);
      one.database = database;
    }
    return await work(one.session);
  } catch (error) {
    // The output of a failed statement would stand at the beginning of the next answer of its session.
    await one.session.queryAsync('SELECT 1', { format: 'Null' }).catch(() => undefined);
    throw error;
  } finally {
    const next = waiting.shift();
    if (next === undefined) idle.push(one);
    else next(one);
  }
}

const INSERT =
  /^\s*INSERT\s+INTO\s+([^\s(]+)\s*(?:\(([^)]*)\))?\s*(?:SETTINGS\s+.*?)?\s*FORMAT\s+(\w+)\s*$/is;
const FORMAT = /\s+FORMAT\s+(\w+)\s*;?\s*$/i;

async function execute(url, body, isWanted) {
  const database = url.searchParams.get('database') || 'default';
  const fromUrl = url.searchParams.get('query');
  const insert = fromUrl === null ? null : INSERT.exec(fromUrl);
  if (insert !== null) {
    const [, table, columns, format] = insert;
    const named =
      columns === undefined || columns.trim() === ''
        ? {}
        : { columns: columns.split(',').map((name) => name.trim().replaceAll('`', '')) };
    await onSession(database, isWanted, (session) =>
      session.insert({ table: table.replaceAll('`', ''), values: body, format, ...named }),
    );
    return { text: '', format };
  }
  const statement = [fromUrl, body.toString()].filter(Boolean).join('\n').trim();
  const format = FORMAT.exec(statement)?.[1] ?? url.searchParams.get('default_format') ?? 'TabSeparated';
  const sql = withSettings(statement.replace(FORMAT, ''), settingsOf(url));
  const params = paramsOf(url, sql);
  const result = await onSession(database, isWanted, (session) =>
    Object.keys(params).length === 0
      ? session.queryAsync(sql, { format })
      : session.queryBindAsync(sql, params, { format }),
  );
  return { text: Buffer.from(result.bytes()), format };
}

function settingsOf(url) {
  return [...url.searchParams].filter(([name]) => !NOT_SETTINGS.has(name) && !NOT_HERE.test(name));
}

/** Settings go with the statement, so that they hold for it alone. */
function withSettings(sql, settings) {
  if (settings.length === 0 || !/^\s*(SELECT|WITH|INSERT\s.*SELECT)/is.test(sql)) return sql;
  const text = settings
    .map(
      ([name, value]) => `${name} = ${/^-?\d+$/.test(value) ? value : `'${value.replaceAll("'", "\\'")}'`}`,
    )
    .join(', ');
  return `${sql} ${/\sSETTINGS\s[^']*$/i.test(sql) ? ',' : 'SETTINGS'} ${text}`;
}

const ESCAPES = { b: '\b', f: '\f', r: '\r', n: '\n', t: '\t', 0: '\0', "'": "'", '\\': '\\' };

/**
 * The parameters that a statement declares, as `{name:Type}`. The client escapes texts as a tab-separated file does, and the
 * engine's binder does so itself.
 */
function paramsOf(url, sql) {
  const params = {};
  for (const [, name, type] of sql.matchAll(/\{\s*(\w+)\s*:\s*([^}]+)\}/g)) {
    const value = url.searchParams.get(`param_${name}`);
    if (value === null) continue;
    if (value === '\\N') params[name] = null;
    else params[name] = type.trim().startsWith('Array') ? listOf(value) : unescaped(value);
  }
  return params;
}

function unescaped(text) {
  return text.replaceAll(/\\(.)/gs, (_, one) => ESCAPES[one] ?? one);
}

/** A literal of an array of texts or whole numbers. */
function listOf(literal) {
  return [...literal.matchAll(/'((?:[^'\\]|\\.)*)'|(-?\d+)/gs)].map(([, text, number]) =>
    number === undefined ? unescaped(text) : BigInt(number),
  );
}

/** By the code of an exception; all others are 500. */
const STATUS = {
  ...Object.fromEntries(
    [26, 27, 36, 38, 43, 44, 46, 47, 50, 53, 62, 69, 70, 72, 117, 456].map((code) => [code, 400]),
  ),
  60: 404,
  81: 404,
  202: 503,
  241: 500,
  307: 413,
};
const TYPES = { JSON: 'application/json', JSONEachRow: 'application/x-ndjson' };

const server = http.createServer({ maxHeaderSize: URL_MAX_BYTES }, (request, response) => {
  const url = new URL(request.url, 'http://localhost');
  if (url.pathname === '/ping' || (request.method === 'GET' && !url.searchParams.has('query'))) {
    response.end('Ok.\n');
    return;
  }
  const chunks = [];
  let size = 0;
  request.on('data', (chunk) => {
    size += chunk.length;
    if (size <= BODY_MAX_BYTES) chunks.push(chunk);
    else chunks.length = 0;
  });
  request.on('end', () => {
    void answer(request, response, url, size > BODY_MAX_BYTES ? undefined : Buffer.concat(chunks));
  });
});

async function answer(request, response, url, sent) {
  try {
    if (sent === undefined)
      throw Object.assign(new Error('Code: 307. DB::Exception: The body is too large. (TOO_MANY_BYTES)'), {
        status: 413,
      });
    const isGzip = request.headers['content-encoding'] === 'gzip';
    const body = isGzip ? gunzipSync(sent, { maxOutputLength: BODY_MAX_BYTES }) : sent;
    const { text, format } = await execute(url, body, () => !response.destroyed);
    response.setHeader('content-type', TYPES[format] ?? 'text/plain; charset=UTF-8');
    response.setHeader('x-clickhouse-query-id', url.searchParams.get('query_id') ?? '');
    response.setHeader('x-clickhouse-summary', '{}');
    response.end(text);
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    const code = /Code: (\d+)/.exec(message)?.[1] ?? '1002';
    response.statusCode = error.status ?? STATUS[code] ?? 500;
    response.setHeader('x-clickhouse-exception-code', code);
    response.end(
      message.includes('Code: ')
        ? message.slice(message.indexOf('Code: '))
        : `Code: ${code}. DB::Exception: ${message} (UNKNOWN_EXCEPTION)`,
    );
  }
}

server.keepAliveTimeout = 30_000;
server.on('error', (error) => giveUp(error.message));
server.listen(Number(options.port), options.host, () => {
  const { port } = server.address();
  process.stdout.write(`listening on http://${options.host}:${port}\n`);
});

let isStopping = false;

/** Statements that run may end; then the sessions are closed, which leaves the directory as after a clean stop. */
function stop() {
  if (isStopping) return;
  isStopping = true;
  server.close(() => {
    for (const { session } of idle) session.close();
    process.exit(0);
  });
  server.closeIdleConnections();
  setTimeout(() => server.closeAllConnections(), DRAIN_MS).unref();
}
process.on('SIGTERM', stop);
process.on('SIGINT', stop);
