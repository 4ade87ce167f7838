/** Up to where events were forwarded, kept in a file, so that a restart goes on where the last run stopped. */
import { StartError } from '../../lib/base/start-error.js';
import { hasTexts, readJsonFile } from './json-file.js';

export interface ResumePoint {
  readonly ledger: string;
  /** Of the last event that was taken. */
  readonly position: string;
  /** What WatchEvents goes on after. */
  readonly resumeToken: string;
}

/** Reads it; undefined where there is no file yet. @throws StartError if the file is not one of these, or of another ledger */
export function readResumePoint(path: string, ledger: string): ResumePoint | undefined {
  const point = readJsonFile(path, { isIt: isResumePoint, what: 'resume file' });
  if (point === undefined || point.ledger === ledger) return point;
  throw new StartError(`${path} is of the ledger ${point.ledger}, not of ${ledger}`);
}

function isResumePoint(stored: unknown): stored is ResumePoint {
  return hasTexts(stored, ['ledger', 'position', 'resumeToken']);
}
