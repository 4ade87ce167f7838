/** Starts the services of the stack, each as a process of its own, from the files that `npm run build` has built. */
import { execFile } from 'node:child_process';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { StartError } from '../../lib/base/start-error.js';
import { projectRoot, type RunningEngine, startProgram } from './engines/engine.js';

/** Where a process listens, as its log says. */
export interface Addresses {
  readonly grpc: string;
  readonly connect: string;
  /** URL of the console; absent where the process serves none. */
  readonly console?: string;
}

/** A process of a service. */
export interface RunningService extends RunningEngine {
  readonly addresses: Addresses;
  /** Its log: one JSON object per line. */
  readonly logFile: string;
  /** Starts it again on the same ports, after it was stopped or killed. */
  restart(): Promise<RunningService>;
}

export type ServiceName = 'command' | 'projector' | 'query';

export interface ServicePlace {
  readonly service: ServiceName;
  /** The name of this process, such as `projector-2`. */
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

/** Starts a process and waits until it serves. @throws StartError with the end of its log */
export async function startService(place: ServicePlace): Promise<RunningService> {
  const { service, name, directory, grpcPort, connectPort, variables } = place;
  const logFile = join(directory, `${name}.log`);
  const began = statSync(logFile, { throwIfNoEntry: false })?.size ?? 0;
  let addresses: Addresses | undefined;
  const running = await startProgram({
    name,
    url: name,
    directory,
    command: process.execPath,
    limit_ms: READY_LIMIT_ms,
    args: [...NODE_OPTIONS, builtFile('services', service, 'main.js')],
    env: {
      ...environment(variables),
      QUITTANCE_GRPC_PORT: String(grpcPort),
      QUITTANCE_CONNECT_PORT: String(connectPort),
    },
    isReady: async () => {
      addresses = readyIn(readFileSync(logFile).subarray(began).toString());
      return addresses !== undefined;
    },
  }).catch((error: unknown) => {
    const said = readFileSync(logFile).subarray(began).toString().trim().split('\n').slice(-3).join('\n');
    throw new StartError(`the ${name} service did not start: ${said}`, { cause: error });
  });
  if (addresses === undefined) throw new Error(`the ${name} service is ready and has no address`);
  const known = addresses;
  const [grpc, connect] = [portOf(known.grpc), portOf(known.connect)];
  return {
    ...running,
    url: known.grpc,
    addresses: known,
    logFile,
    restart: () => startService({ ...place, grpcPort: grpc, connectPort: connect }),
  };
}

/** Runs the step that creates the topic. @returns its answer. @throws StartError with what it printed */
export async function createTopic(variables: Readonly<Record<string, string>>): Promise<string> {
  const entry = builtFile('tools', 'create-topic', 'main.js');
  const { stdout } = await promisify(execFile)(process.execPath, [entry], {
    env: environment(variables),
    timeout: READY_LIMIT_ms,
  }).catch((error: unknown) => {
    // No test of its class: within jest the errors of Node's own modules are of another realm.
    const printed = typeof error === 'object' && error !== null && 'stderr' in error ? error.stderr : '';
    throw new StartError(String(printed).trim() || 'the topic could not be created', { cause: error });
  });
  return stdout.trim();
}

/** The variables of this process, but of ours only those that are meant for the service. */
function environment(variables: Readonly<Record<string, string>>): NodeJS.ProcessEnv {
  const others = Object.entries(process.env).filter(([name]) => !name.startsWith('QUITTANCE_'));
  return { ...Object.fromEntries(others), NODE_OPTIONS: '', ...variables };
}

function builtFile(...path: readonly string[]): string {
  const file = join(projectRoot(), 'dist', ...path);
  if (existsSync(file)) return file;
  throw new StartError(`${file} is not there; run npm run build`);
}

function readyIn(log: string): Addresses | undefined {
  const line = log.split('\n').find((text) => text.includes('"msg":"ready"') && text.endsWith('}'));
  return line === undefined ? undefined : (JSON.parse(line) as { addresses: Addresses }).addresses;
}

function portOf(address: string): number {
  return Number(address.slice(address.lastIndexOf(':') + 1));
}
