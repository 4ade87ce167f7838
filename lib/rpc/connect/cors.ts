/** CORS: which pages of other origins may call. No credentials: the API takes bearer tokens, never cookies. */
import { cors } from '@connectrpc/connect';
import { sendText } from './pages.js';
import type { WebRequest, WebResponse } from './web-port.js';

const ALLOWED_METHODS = cors.allowedMethods.join(', ');
const ALLOWED_HEADERS = [...cors.allowedHeaders, 'Authorization', 'Traceparent', 'Tracestate'].join(', ');
const EXPOSED_HEADERS = [...cors.exposedHeaders, 'Retry-After', 'Allow', 'Accept-Post', 'ETag'].join(', ');
const PREFLIGHT_AGE_S = 7200;

/** Tells the browser whether the page may read the answer. */
export function allowOrigin(
  allowed: readonly string[],
  { headers: { origin } }: WebRequest,
  response: WebResponse,
): boolean {
  const isForAll = allowed.includes('*');
  if (!isForAll) response.setHeader('Vary', 'Origin');
  if (origin === undefined || !(isForAll || allowed.includes(origin))) return false;
  response.setHeader('Access-Control-Allow-Origin', isForAll ? '*' : origin);
  response.setHeader('Access-Control-Expose-Headers', EXPOSED_HEADERS);
  return true;
}

/** Answers a browser that asks before it calls; false if the request is no such question. */
export function answerPreflight(isAllowed: boolean, request: WebRequest, response: WebResponse): boolean {
  if (request.method !== 'OPTIONS') return false;
  if (request.headers['access-control-request-method'] === undefined) return false;
  if (!isAllowed) {
    sendText(response, 403, 'this origin is not allowed to call\n');
    return true;
  }
  response.setHeader('Access-Control-Allow-Methods', ALLOWED_METHODS);
  response.setHeader('Access-Control-Allow-Headers', ALLOWED_HEADERS);
  response.setHeader('Access-Control-Max-Age', String(PREFLIGHT_AGE_S));
  response.statusCode = 204;
  response.end();
  return true;
}
