/** How much callers may ask for per second, as the environment says it. */
import { bad, type Environment, valueOf } from './environment.js';

/** 0: as much as they like. */
export interface LimitsConfig {
  /** Commands per second of one caller, over all ledgers. */
  readonly commandsPerCaller: number;
  /** Commands per second for one ledger, of all its callers. */
  readonly commandsPerLedger: number;
  /** Queries per second of one caller. */
  readonly queriesPerCaller: number;
}

export const LIMIT_VARIABLES = [
  'QUITTANCE_LIMIT_CALLER_COMMANDS',
  'QUITTANCE_LIMIT_LEDGER_COMMANDS',
  'QUITTANCE_LIMIT_CALLER_QUERIES',
] as const;

/** A batch holds up to 1,000 commands, and is let through as a whole. */
const LEAST_COMMANDS = 1_000;
const MOST = 1_000_000;
/** Where callers are known: more than two cores can do, so that it stops what runs wild and nothing else. */
const KNOWN_CALLERS: LimitsConfig = {
  commandsPerCaller: 20_000,
  commandsPerLedger: 20_000,
  queriesPerCaller: 20_000,
};
const NO_LIMITS: LimitsConfig = { commandsPerCaller: 0, commandsPerLedger: 0, queriesPerCaller: 0 };

/** Without authentication all callers are one, and there are no limits unless they are set. @throws StartError */
export function readLimits(env: Environment, hasAuth: boolean): LimitsConfig {
  const defaults = hasAuth ? KNOWN_CALLERS : NO_LIMITS;
  const [ofCaller, ofLedger, ofQueries] = LIMIT_VARIABLES;
  return {
    commandsPerCaller: perSecond(env, ofCaller, defaults.commandsPerCaller, LEAST_COMMANDS),
    commandsPerLedger: perSecond(env, ofLedger, defaults.commandsPerLedger, LEAST_COMMANDS),
    queriesPerCaller: perSecond(env, ofQueries, defaults.queriesPerCaller, 1),
  };
}

function perSecond(env: Environment, name: string, otherwise: number, least: number): number {
  const value = valueOf(env, name);
  if (value === undefined) return otherwise;
  const number = /^\d{1,7}$/.test(value) ? Number(value) : Number.NaN;
  if (number === 0 || (number >= least && number <= MOST)) return number;
  throw bad(name, value, `0 (no limit), or a number from ${String(least)} to ${String(MOST)}`);
}
