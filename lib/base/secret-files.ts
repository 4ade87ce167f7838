/** Secrets that lie in files, as orchestrators mount them: `NAME_FILE` in place of `NAME`. */
import { readFileSync } from 'node:fs';
import { type Environment, valueOf } from './environment.js';
import { StartError } from './start-error.js';

/** The variables whose values may be secret. */
export const SECRET_VARIABLES = [
  'QUITTANCE_DATABASE_URL',
  'QUITTANCE_REDIS_URL',
  'QUITTANCE_MONGODB_URL',
  'QUITTANCE_CLICKHOUSE_URL',
  'QUITTANCE_KAFKA_PASSWORD',
] as const;

/** The environment with each of them read from its file. @throws StartError which never shows what is in a file */
export function withSecretFiles(env: Environment): Environment {
  const secrets: [string, string][] = [];
  for (const name of SECRET_VARIABLES) {
    const variable = fileVariableOf(name);
    const path = valueOf(env, variable);
    if (path === undefined) continue;
    if (valueOf(env, name) !== undefined) {
      throw new StartError(`${name} and ${variable} are both set; set one of them`);
    }
    secrets.push([name, secretIn(path, variable)]);
  }
  const others = Object.entries(env).filter(([name]) => !FILE_VARIABLES.has(name));
  return Object.fromEntries([...others, ...secrets]);
}

function fileVariableOf(name: string): string {
  return `${name}_FILE`;
}

const FILE_VARIABLES: ReadonlySet<string> = new Set(SECRET_VARIABLES.map(fileVariableOf));

/** Without the end of line that editors and `echo` leave. */
function secretIn(path: string, variable: string): string {
  let text: string;
  try {
    text = readFileSync(path, 'utf8').replace(/\r?\n$/, '');
  } catch (error) {
    const hasCode = typeof error === 'object' && error !== null && 'code' in error;
    const code = hasCode ? String(error.code) : 'unknown';
    throw new StartError(`${variable} names ${path}, which cannot be read (${code})`);
  }
  if (text === '') throw new StartError(`${variable} names ${path}, which is empty`);
  return text;
}
