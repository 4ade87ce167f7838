/** The import itself: what is wrong with the file, what the ledger says of it, what has to be made, and the movements. */
import type { ImportTarget } from './commands.js';
import { bookMovements, type Booked, ChangedFileError } from './book.js';
import type { Connection } from './connection.js';
import { type AlreadyBooked, countBooked, inspectLedger } from './inspect.js';
import { type Plan, planImport } from './plan.js';
import { prepareLedger } from './prepare.js';
import { BadFileError } from './problems.js';
import { readableFile } from './read-file.js';
import type { FormatName, ReadSettings } from './settings.js';
import type { Source } from './source.js';
import { type Survey, surveyFile } from './survey.js';

/** What to import, and how. */
export interface ImportJob {
  readonly source: Source;
  readonly settings: ReadSettings;
  readonly target: ImportTarget;
  /** Whether a balance that the file begins with may be booked. */
  readonly bookOpening: boolean;
  /** Check everything, book nothing. */
  readonly dryRun: boolean;
  /** UTC microseconds. */
  readonly now: bigint;
}

/** What came of a file. */
export interface ImportSummary {
  readonly format: FormatName;
  readonly encoding: string;
  readonly survey: Survey;
  readonly plan: Plan;
  readonly outcome:
    { readonly kind: 'dry-run'; readonly already: AlreadyBooked } | ({ readonly kind: 'booked' } & Booked);
}

/**
 * Imports a file. @throws BadFileError before anything is booked; PreparationError likewise; SendError when the server stays
 * away; ChangedFileError.
 */
export async function importFile(job: ImportJob, connection: Connection): Promise<ImportSummary> {
  const { source, settings, target } = job;
  const file = await readableFile(source, settings, job.now);
  const survey = await surveyFile(file);
  const inspection = await inspectLedger(connection, target, survey, file);
  const plan = planImport(survey, inspection, job.bookOpening);
  for (const note of plan.notes) connection.listener.note(note);
  const { format, encoding } = file;
  if (job.dryRun) {
    const already = await countBooked(connection, target, file, inspection);
    return { format, encoding, survey, plan, outcome: { kind: 'dry-run', already } };
  }
  const openedByOthers = await prepareLedger(connection, target, plan);
  if (await source.isChanged())
    throw new BadFileError([
      'the file was changed while it was read; leave it alone and run the command again',
    ]);
  const { tally } = inspection;
  const { replayed, refused } = tally.counts();
  const total = survey.rows - survey.empty - replayed - refused;
  const booked = await bookMovements(connection, target, file, { total, plan, tally, openedByOthers });
  if (await source.isChanged()) throw new ChangedFileError();
  return { format, encoding, survey, plan, outcome: { kind: 'booked', ...booked } };
}
