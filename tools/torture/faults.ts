/** The faults of a torture run: chosen by the seed, one after the other or two at once, with a rest between them. */
import { pause } from '../../lib/base/pause.js';
import type { LinkFault } from './link.js';
import { below, oneOf, type Random } from './random.js';
import type { Clock, Disk, LinkGroup, Subject, Victim } from './subject.js';

/** One fault that was injected. Times are of the run's clock. */
export interface Injected {
  readonly name: string;
  readonly began_ms: number;
  /** When all processes ran again. */
  readonly ended_ms: number;
  /** From then until every view had what was acknowledged by then; undefined: that was not seen. */
  whole_ms: number | undefined;
}

/** Something that may be done to the subject. */
export interface Hazard {
  /** As the report counts it. */
  readonly name: string;
  /** What it hurts: the two of a pair hurt different things. */
  readonly target: string;
  /** Hurts. @returns what heals; undefined where that has been done */
  begin(random: Random): Promise<Healing | undefined>;
}

interface Healing {
  /** Such as the link that was chosen; empty where the name says all. */
  readonly detail: string;
  heal(): Promise<void>;
}

export interface InjectionOptions {
  readonly subject: Subject;
  readonly random: Random;
  /** Aborts when no new fault is to be injected. */
  readonly signal: AbortSignal;
  /** Only faults whose name holds one of these texts. */
  readonly only: readonly string[];
  /** Called when a fault has ended. */
  readonly onEnd: (injected: Injected) => void;
  readonly log: (line: string) => void;
}

const LEAST_MS = 500;
const MOST_MS = 6_000;
const REST_LEAST_MS = 2_000;
const REST_MOST_MS = 5_000;
/** How often a pair comes for each time that each single fault comes. */
const PAIRS = 4;
const CLOCK_MOST_S = 30;
/** A clock that is set is looked at once a second. */
const CLOCK_LOOK_MS = 1_000;

/** Injects faults until the signal aborts. @returns what was injected; everything runs then */
export async function injectFaults(options: InjectionOptions): Promise<readonly Injected[]> {
  const { subject, random, signal, log, only, onEnd } = options;
  const injected: Injected[] = [];
  const hazards = hazardsOf(subject, log).filter(({ name }) => only.some((text) => name.includes(text)));
  if (hazards.length === 0)
    throw new Error(`no fault of the ${subject.name} platform holds "${only.join(',')}"`);
  // Each kind comes once before any comes again.
  let bag: Hazard[] = [];
  for (;;) {
    await pause(REST_LEAST_MS + below(random, REST_MOST_MS - REST_LEAST_MS), signal).catch(() => undefined);
    if (signal.aborted) return injected;
    if (bag.length === 0) bag = [...hazards];
    const [hazard] = bag.splice(below(random, bag.length), 1);
    if (hazard === undefined) continue;
    log(`injecting: ${hazard.name}`);
    const began_ms = performance.now();
    await injectOne(hazard, random, log);
    // What has ended because of the fault is started again, as an orchestrator would.
    await Promise.all(subject.victims.map((victim) => victim.restart()));
    const done: Injected = { name: hazard.name, began_ms, ended_ms: performance.now(), whole_ms: undefined };
    injected.push(done);
    onEnd(done);
  }
}

async function injectOne(hazard: Hazard, random: Random, log: (line: string) => void): Promise<void> {
  const healing = await hazard.begin(random);
  if (healing === undefined) return;
  if (healing.detail !== '') log(`  ${healing.detail}`);
  await pause(LEAST_MS + below(random, MOST_MS - LEAST_MS));
  await healing.heal();
}

/** All that can be done to a subject. */
export function hazardsOf(subject: Subject, log: (line: string) => void): readonly Hazard[] {
  const { victims, network, clocks, disks, faults } = subject;
  const single = [
    ...victims.flatMap((victim) => [killed(victim), stopped(victim)]),
    ...network.flatMap((group) => [
      hurt(group, 'cut', 'cut off'),
      hurt(group, 'stall', 'stalled'),
      hurt(group, 'halfOpen', 'half open'),
      hurt(group, 'slow', 'slow'),
    ]),
    ...clocks.map(jumped),
    ...disks.map(filled),
  ];
  const pair: Hazard = {
    name: 'two at once',
    target: 'two',
    begin: (random) => beginTwo(single, random, log),
  };
  const others = Object.entries(faults).map(([name, inject]) => done(name, inject));
  return [...single, ...Array.from({ length: PAIRS }, () => pair), rolled(victims), ...others];
}

async function beginTwo(
  single: readonly Hazard[],
  random: Random,
  log: (line: string) => void,
): Promise<Healing> {
  const first = oneOf(random, single);
  const second = oneOf(
    random,
    single.filter(({ target }) => target !== first.target),
  );
  log(`  ${first.name}, and ${second.name}`);
  const healings = await Promise.all([first.begin(random), second.begin(random)]);
  return {
    detail: healings.flatMap((healing) => healing?.detail ?? []).join(' '),
    heal: async () => {
      // One alone might wait for the other: a service for its server.
      await Promise.all(healings.flatMap((healing) => (healing === undefined ? [] : [healing.heal()])));
    },
  };
}

function killed(victim: Victim): Hazard {
  return {
    name: `kill -9 ${victim.name}`,
    target: victim.name,
    begin: async () => {
      await victim.kill();
      return { detail: '', heal: () => victim.restart() };
    },
  };
}

function stopped(victim: Victim): Hazard {
  return {
    name: `SIGSTOP ${victim.name}`,
    target: victim.name,
    begin: () => {
      const pids = victim.pids();
      signalAll(pids, 'SIGSTOP');
      const heal = async () => {
        signalAll(pids, 'SIGCONT');
        // It may have ended because of what others did meanwhile.
        await victim.restart();
      };
      return Promise.resolve({ detail: '', heal });
    },
  };
}

/** One link of a group or all of them. */
function hurt({ name, links }: LinkGroup, fault: LinkFault, how: string): Hazard {
  return {
    name: `${how}: ${name}`,
    target: name,
    begin: (random) => {
      const chosen = below(random, 2) === 0 ? links : [oneOf(random, links)];
      for (const link of chosen) link.hurt(fault);
      const heal = () => {
        for (const link of chosen) link.restore();
        return Promise.resolve();
      };
      return Promise.resolve({ detail: chosen.map((link) => link.name).join(', '), heal });
    },
  };
}

function jumped(clock: Clock): Hazard {
  return {
    name: `the clock of ${clock.name} jumps`,
    target: `clock of ${clock.name}`,
    begin: async (random) => {
      const away_s = 1 + below(random, CLOCK_MOST_S);
      const offset_s = below(random, 2) === 0 ? away_s : -away_s;
      clock.set(offset_s);
      await pause(CLOCK_LOOK_MS);
      const heal = async () => {
        clock.set(0);
        await pause(CLOCK_LOOK_MS);
      };
      return { detail: `by ${String(offset_s)} s`, heal };
    },
  };
}

function filled(disk: Disk): Hazard {
  return {
    name: `the disk of ${disk.name} is full`,
    target: disk.name,
    begin: async () => {
      await disk.fill();
      return { detail: '', heal: () => disk.free() };
    },
  };
}

function rolled(victims: readonly Victim[]): Hazard {
  return done('rolling restart of the services', async () => {
    for (const victim of victims.filter(({ isService }) => isService)) {
      await victim.end();
      await victim.restart();
    }
  });
}

/** A fault that is over when it has been injected. */
function done(name: string, inject: () => Promise<void>): Hazard {
  return {
    name,
    target: name,
    begin: async () => {
      await inject();
      return undefined;
    },
  };
}

function signalAll(pids: readonly number[], signal: 'SIGSTOP' | 'SIGCONT'): void {
  for (const pid of pids) {
    try {
      process.kill(pid, signal);
    } catch {
      // It has ended.
    }
  }
}
