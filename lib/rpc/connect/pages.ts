/** What the Connect door serves beside calls: health, readiness, figures. */
import type { Registry } from 'prom-client';
import type { Health } from '../health.js';
import type { WebRequest, WebResponse } from './web-port.js';

export const METRICS_PATH = '/metrics';

export interface Pages {
  /** What /readyz answers. */
  readonly health: Pick<Health, 'isServing'>;
  /** What /metrics answers. */
  readonly registry: Registry;
  /** What else to serve, by exact path. */
  readonly handlers?: Readonly<Record<string, (request: WebRequest, response: WebResponse) => void>>;
}

/** Answers a page; false if the path is none. */
export async function servePage(
  { handlers, health, registry }: Pages,
  path: string,
  request: WebRequest,
  response: WebResponse,
): Promise<boolean> {
  const isReading = request.method === 'GET' || request.method === 'HEAD';
  const extra = handlers !== undefined && Object.hasOwn(handlers, path) ? handlers[path] : undefined;
  if (extra !== undefined) {
    extra(request, response);
  } else if (path === '/healthz' && isReading) {
    sendText(response, 200, 'alive\n');
  } else if (path === '/readyz' && isReading) {
    if (health.isServing()) sendText(response, 200, 'serving\n');
    else sendText(response, 503, 'not serving\n');
  } else if (path === METRICS_PATH && isReading) {
    sendText(response, 200, await registry.metrics(), registry.contentType);
  } else {
    return false;
  }
  return true;
}

/** Sends a text as it is. */
export function sendText(
  response: WebResponse,
  status: number,
  text: string,
  type = 'text/plain; charset=utf-8',
): void {
  sendBytes(response, status, Buffer.from(text), type);
}

/** Sends bytes of a type. */
export function sendBytes(response: WebResponse, status: number, bytes: Uint8Array, type: string): void {
  response.statusCode = status;
  response.setHeader('Content-Type', type);
  response.setHeader('Content-Length', String(bytes.length));
  response.end(bytes);
}
