/**
 * A folder of files that the Connect door serves below a path: the console. The files hold no data, so they are for all
 * callers; what the page asks for is asked with the caller's own token. The folder may appear while the server runs.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { sendBytes, sendText } from './pages.js';
import type { WebRequest, WebResponse } from './web-port.js';

/** A folder, and the settings of its page. */
export interface Site {
  /** Begins and ends with a slash. */
  readonly prefix: string;
  /** Absolute path of the folder. */
  readonly directory: string;
  /** What `settings.json` below the prefix answers. */
  readonly settings: unknown;
  /** Other origins that the page may call. */
  readonly callsTo: readonly string[];
}

const TYPES: Readonly<Record<string, string>> = {
  html: 'text/html; charset=utf-8',
  js: 'text/javascript; charset=utf-8',
  css: 'text/css; charset=utf-8',
  svg: 'image/svg+xml',
  json: 'application/json; charset=utf-8',
};
/** Letters, digits and hyphens, with one extension: no path leaves the folder. */
const FILE = /^(?:assets\/)?[\w-]+(?:\.[\w-]+)*\.(html|js|css|svg)$/;
/** The bundler names these by their content. */
const FOR_EVER = 'public, max-age=31536000, immutable';
const ASK_AGAIN = 'no-cache';
/** While the console is being built, this page loads again every second. */
const NOT_BUILT = `<!doctype html><html lang="en"><meta charset="utf-8"><meta http-equiv="refresh" content="1">
<title>Quittance</title><p>The console is being built: this page asks again every second. If it stays, run <code>npm run build</code>.</p></html>\n`;

/** Answers a file of the site; false if the path is not below its prefix. */
export async function serveSite(
  site: Site,
  path: string,
  request: WebRequest,
  response: WebResponse,
): Promise<boolean> {
  const { prefix } = site;
  const isReading = request.method === 'GET' || request.method === 'HEAD';
  if (!isReading || !(path === prefix.slice(0, -1) || path.startsWith(prefix))) return false;
  if (!path.startsWith(prefix)) {
    // Relative, so that it also leads there behind a proxy that adds a path of its own.
    response.setHeader('Location', `${path.slice(path.lastIndexOf('/') + 1)}/`);
    sendText(response, 308, '');
    return true;
  }
  const rest = path.slice(prefix.length);
  setSafetyHeaders(site, response);
  if (rest === 'settings.json') {
    sendText(response, 200, JSON.stringify(site.settings), TYPES['json']);
    return true;
  }
  await sendFile(site, rest === '' ? 'index.html' : rest, request, response);
  return true;
}

function setSafetyHeaders({ callsTo }: Site, response: WebResponse): void {
  const calls = ["'self'", ...callsTo].join(' ');
  response.setHeader(
    'Content-Security-Policy',
    `default-src 'self'; connect-src ${calls}; img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`,
  );
  response.setHeader('Referrer-Policy', 'no-referrer');
  response.setHeader('Cross-Origin-Opener-Policy', 'same-origin');
}

async function sendFile(
  { directory }: Site,
  name: string,
  request: WebRequest,
  response: WebResponse,
): Promise<void> {
  const extension = FILE.exec(name)?.[1];
  const type = extension === undefined ? undefined : TYPES[extension];
  const file = type === undefined ? undefined : await read(join(directory, name), takesGzip(request));
  if (type !== undefined && file !== undefined) {
    response.setHeader('Cache-Control', name.startsWith('assets/') ? FOR_EVER : ASK_AGAIN);
    response.setHeader('Vary', 'Accept-Encoding');
    if (file.isGzip) response.setHeader('Content-Encoding', 'gzip');
    sendBytes(response, 200, file.bytes, type);
  } else if (name === 'index.html') {
    sendText(response, 503, NOT_BUILT, TYPES['html']);
  } else {
    sendText(response, 404, 'the console has no such file\n');
  }
}

function takesGzip({ headers }: WebRequest): boolean {
  return /(^|,)\s*gzip\s*(?!;\s*q=0(\.0+)?\s*(,|$))/i.test(headers['accept-encoding'] ?? '');
}

/** The file, compressed when it was built if the caller takes that; undefined if there is none. */
async function read(
  path: string,
  isGzipTaken: boolean,
): Promise<{ readonly bytes: Buffer; readonly isGzip: boolean } | undefined> {
  const zipped = isGzipTaken ? await contentOf(`${path}.gz`) : undefined;
  if (zipped !== undefined) return { bytes: zipped, isGzip: true };
  const bytes = await contentOf(path);
  return bytes === undefined ? undefined : { bytes, isGzip: false };
}

async function contentOf(path: string): Promise<Buffer | undefined> {
  try {
    return await readFile(path);
  } catch (error) {
    // No test of its class: within jest the errors of Node's own modules are of another realm.
    if (typeof error === 'object' && error !== null && 'code' in error && error.code === 'ENOENT')
      return undefined;
    throw error;
  }
}
