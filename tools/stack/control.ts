/** How `npm run stack -- --kill NAME` reaches a stack that runs: by a socket in its directory. */
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { chmodSync, rmSync } from 'node:fs';
import { connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { StartError } from '../../lib/base/start-error.js';
import { type Action, ACTIONS, type ProcessReport, type Supervisor } from './supervisor.js';

/** What a stack is asked. */
export type StackRequest = { readonly action: 'list' } | { readonly action: Action; readonly name: string };

type Answer = { readonly said: string } | { readonly refused: string };

/** The longest path that a socket may have everywhere. */
const SOCKET_PATH_MAX_BYTES = 100;

/** The socket of the stack in a directory: elsewhere if the path of the directory is too long for one. */
function socketOf(directory: string): string {
  const inside = join(directory, 'control.sock');
  if (Buffer.byteLength(inside) <= SOCKET_PATH_MAX_BYTES) return inside;
  const name = createHash('sha256').update(directory).digest('hex').slice(0, 16);
  return join(tmpdir(), `quittance-stack-${name}.sock`);
}

export interface Control {
  close(): Promise<void>;
}

/** Answers requests until it is closed. The caller owns the directory. */
export async function openControl(directory: string, supervisor: Supervisor): Promise<Control> {
  const path = socketOf(directory);
  // A stack that was killed leaves it behind.
  rmSync(path, { force: true });
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    socket.on('error', () => undefined);
    void answer(socket, supervisor);
  });
  server.listen(path);
  await once(server, 'listening');
  chmodSync(path, 0o600);
  return {
    close: async () => {
      const closed = once(server, 'close');
      server.close();
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}

/** Asks the stack in a directory. @returns its answer, for people. @throws StartError if none runs, or with why it refuses */
export async function askStack(directory: string, request: StackRequest): Promise<string> {
  const socket = connect(socketOf(directory));
  try {
    await once(socket, 'connect');
  } catch (cause) {
    throw new StartError(`no stack runs in ${directory}; --data names the directory of another one`, {
      cause,
    });
  }
  socket.write(`${JSON.stringify(request)}\n`);
  const text = await lineOf(socket);
  socket.destroy();
  if (text === '') throw new StartError('the stack has ended before it answered');
  const answered = JSON.parse(text) as Answer;
  if ('refused' in answered) throw new StartError(answered.refused);
  return answered.said;
}

async function answer(socket: Socket, supervisor: Supervisor): Promise<void> {
  const answered = await said(await lineOf(socket), supervisor).then(
    (text): Answer => ({ said: text }),
    (error: unknown): Answer => ({ refused: error instanceof Error ? error.message : String(error) }),
  );
  socket.end(`${JSON.stringify(answered)}\n`);
}

async function said(text: string, supervisor: Supervisor): Promise<string> {
  const request: unknown = JSON.parse(text);
  if (typeof request !== 'object' || request === null) throw new Error('this is no request');
  const { action: wanted, name } = request as Readonly<Record<string, unknown>>;
  if (wanted === 'list') return supervisor.list().map(rowOf).join('\n');
  const action = ACTIONS.find((each) => each === wanted);
  if (action === undefined || typeof name !== 'string') throw new Error('this is no request');
  return supervisor.do(action, name);
}

function rowOf({ name, state, pid, url, restarts }: ProcessReport): string {
  const process = state === 'running' || state === 'frozen' ? `process ${String(pid)}` : '';
  const times = restarts === 0 ? '' : `, started again ${String(restarts)} times`;
  const place = url.replace(/:[^:@/]+@/, ':…@');
  return `${name.padEnd(12)} ${(state + times).padEnd(10)} ${process.padEnd(16)} ${place}`.trimEnd();
}

/** The first line that arrives; empty if the connection ends without one. */
async function lineOf(socket: Socket): Promise<string> {
  let text = '';
  try {
    for await (const chunk of socket.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
      text += chunk.toString();
      const end = text.indexOf('\n');
      if (end >= 0) return text.slice(0, end);
    }
  } catch {
    // The other side has left.
  }
  return '';
}
