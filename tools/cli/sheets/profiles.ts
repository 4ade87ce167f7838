/** How settings of profiles are shown. */
import type { Sheet } from '../sheet.js';

export interface ProfileRow {
  readonly name: string;
  readonly isCurrent: boolean;
  readonly key: string;
  readonly value: string;
}

export const PROFILE_ROWS: Sheet<ProfileRow> = {
  columns: [
    { name: 'profile', of: ({ name }) => name },
    { name: 'current', of: ({ isCurrent }) => (isCurrent ? 'yes' : '') },
    { name: 'key', of: ({ key }) => key },
    { name: 'value', of: ({ value }) => value },
  ],
  id: ({ name }) => name,
  json: ({ name, isCurrent, key, value }) => ({ profile: name, current: isCurrent, key, value }),
};
