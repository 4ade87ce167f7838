/** A receiver of webhooks for tests: it keeps what it was sent, and answers as the test says. */
import { createHmac } from 'node:crypto';
import http from 'node:http';
import type { AddressInfo } from 'node:net';

/** A request as it came. */
export interface Received {
  readonly id: string;
  readonly headers: http.IncomingHttpHeaders;
  readonly body: string;
}

/** Answers a request. */
export type Answer = (response: http.ServerResponse, received: Received) => void;

export interface Receiver {
  readonly url: string;
  /** In the order of their coming, those that were refused too. */
  readonly received: readonly Received[];
  /** The ids of those that were answered with success. */
  readonly taken: readonly string[];
  /** From now on it answers so. */
  answer(answer: Answer): void;
  close(): Promise<void>;
}

/** Answers with a status. */
export const status =
  (code: number, headers: http.OutgoingHttpHeaders = {}): Answer =>
  (response) => {
    response.writeHead(code, headers).end();
  };

export const SUCCESS = status(204);

export async function startReceiver(first = SUCCESS): Promise<Receiver> {
  const received: Received[] = [];
  const taken: string[] = [];
  let answer = first;
  const server = http.createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const id = String(request.headers['webhook-id']);
      const one = { id, headers: request.headers, body: Buffer.concat(chunks).toString() };
      received.push(one);
      answer(response, one);
      if (response.headersSent && response.statusCode < 300) taken.push(id);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${String(port)}/hook`,
    received,
    taken,
    answer: (next) => {
      answer = next;
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** Whether one of the signatures of a request is by the secret, as a receiver finds out. */
export function isSignedBy(secret: string, { headers, body }: Received): boolean {
  const key = Buffer.from(secret.replace('whsec_', ''), 'base64');
  const signed = `${String(headers['webhook-id'])}.${String(headers['webhook-timestamp'])}.${body}`;
  const expected = `v1,${createHmac('sha256', key).update(signed).digest('base64')}`;
  return String(headers['webhook-signature']).split(' ').includes(expected);
}

/** The position of the event that a request is about. */
export function positionOf({ id }: Pick<Received, 'id'>): bigint {
  return BigInt(id.split('-').at(-1) ?? '');
}
