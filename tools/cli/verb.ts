/** Verbs and nouns as plain data: the program, the help and the completion are made of it. */
import type { Flags, FlagValues, Positionals, PositionalValues } from './flags.js';
import type { Session } from './session.js';

/** What a run of a verb gets. */
export interface Typed<P extends Positionals, F extends Flags> {
  readonly args: PositionalValues<P>;
  readonly flags: FlagValues<F>;
}

export interface VerbSpec<P extends Positionals, F extends Flags> {
  readonly name: string;
  /** What it does, in a sentence. */
  readonly summary: string;
  readonly positionals: P;
  readonly flags: F;
  /** Lines to paste, with what each does. */
  readonly examples: readonly (readonly [line: string, effect: string])[];
  readonly notes?: readonly string[];
  /** Not listed in the help: programs type it, and not people. */
  readonly isHidden?: boolean;
  /** @returns the exit code where it is not 0 */
  readonly run: (session: Session, typed: Typed<P, F>) => Promise<number | undefined>;
}

/** A verb of any positionals and flags. */
export interface Verb extends Omit<VerbSpec<Positionals, Flags>, 'run'> {
  readonly run: (
    session: Session,
    args: Readonly<Record<string, unknown>>,
    flags: object,
  ) => Promise<number | undefined>;
}

export interface Noun {
  readonly name: string;
  /** May be typed in its place. */
  readonly plural: string;
  readonly summary: string;
  readonly verbs: readonly Verb[];
}

/** Ties a verb to the types of what it takes. */
export function verb<P extends Positionals, F extends Flags>(spec: VerbSpec<P, F>): Verb {
  const { run, ...text } = spec;
  return {
    ...text,
    // commander read every word by the spec's own functions, and counted the positionals by their shapes.
    run: (session, args, flags) =>
      run(session, { args: args as PositionalValues<P>, flags: flags as FlagValues<F> }),
  };
}
