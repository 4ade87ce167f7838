/** The services of the stack as processes of their own, from what `npm run build` has built. */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { StartError } from '../../lib/base/start-error.js';
import { projectRoot, type RunningEngine, startProgram } from './engines/engine.js';
import { pause } from '../../lib/base/pause.js';

/** Where a process is reached, as it says itself. */
export interface Addresses {
  readonly grpc: string;
  readonly connect: string;
}

/** A process of a service. */
export interface RunningService extends RunningEngine {
  readonly addresses: Addresses;
  /** Its log: a JSON object a line. */
  readonly logFile: string;
  /** The same again, on the same ports, after it was stopped or killed. */
  restart(): Promise<RunningService>;
}

export interface ServicePlace {
  readonly service: 'command' | 'projector' | 'query';
  /** Of this process, such as `projector-2`. */
  readonly name: string;
  readonly directory: string;
  /** 0: any free one. */
  readonly grpcPort: number;
  readonly connectPort: number;
  /** QUITTANCE_… */
  readonly variables: Readonly<Record<string, string>>;
}

/** As the Dockerfile has them. Under 900 payments a second the heap's limit makes 189 MB of 290 in the command service. */
const NODE_OPTIONS = ['--enable-source-maps', '--max-semi-space-size=32', '--max-old-space-size=1024'];

const READY_LIMIT_ms = 60_000;
const ASK_ms = 50;

/** Starts it and waits until it serves. @throws StartError with the end of its log */
export async function startService(place: ServicePlace): Promise<RunningService> {
  const { service, name, directory, grpcPort, connectPort, variables } = place;
  const logFile = join(directory, `${name}.log`);
  const began = statSync(logFile, { throwIfNoEntry: false })?.size ?? 0;
  let addresses: Addresses | undefined;
  const running = await startProgram({
    ...{ name, url: name, directory, command: process.execPath, limit_ms: READY_LIMIT_ms },
    args: [...NODE_OPTIONS, entryOf(service)],
    env: {
      ...environment(variables),
      QUITTANCE_GRPC_PORT: String(grpcPort),
      QUITTANCE_CONNECT_PORT: String(connectPort),
    },
    isReady: async () => {
      addresses = readyIn(readFileSync(logFile).subarray(began).toString());
      return addresses !== undefined;
    },
  }).catch(async (error: unknown) => {
    await pause(ASK_ms);
    const said = readFileSync(logFile).subarray(began).toString().trim().split('\n').slice(-3).join('\n');
    throw new StartError(`the ${name} service did not start: ${said}`, { cause: error });
  });
  if (addresses === undefined) throw new Error('it is ready and has no address');
  const known = addresses;
  const [grpc, connect] = [portOf(known.grpc), portOf(known.connect)];
  return {
    ...running,
    url: known.grpc,
    ...{ addresses: known, logFile },
    restart: () => startService({ ...place, grpcPort: grpc, connectPort: connect }),
  };
}

/** The explicit step that creates the topic. @throws StartError with what it said */
export function createTopic(variables: Readonly<Record<string, string>>): string {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [join(projectRoot(), 'dist', 'tools', 'create-topic', 'main.js')],
    { env: environment(variables), encoding: 'utf8', timeout: READY_LIMIT_ms },
  );
  if (status !== 0) throw new StartError(stderr.trim() || 'the topic could not be created');
  return stdout.trim();
}

/** What the process has of its own, without variables of ours that were meant for another. */
function environment(variables: Readonly<Record<string, string>>): NodeJS.ProcessEnv {
  const others = Object.entries(process.env).filter(([name]) => !name.startsWith('QUITTANCE_'));
  return { ...Object.fromEntries(others), NODE_OPTIONS: '', ...variables };
}

function entryOf(service: string): string {
  const entry = join(projectRoot(), 'dist', 'services', service, 'main.js');
  if (existsSync(entry)) return entry;
  throw new StartError(`${entry} is not there; run npm run build`);
}

function readyIn(log: string): Addresses | undefined {
  const line = log.split('\n').find((text) => text.includes('"msg":"ready"') && text.endsWith('}'));
  return line === undefined ? undefined : (JSON.parse(line) as { addresses: Addresses }).addresses;
}

function portOf(address: string): number {
  return Number(address.slice(address.lastIndexOf(':') + 1));
}
