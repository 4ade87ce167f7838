/** How the parts of a platform are shown. */
import type { Sheet } from '../sheet.js';

export interface Condition {
  readonly part: string;
  readonly isGood: boolean;
  readonly state: string;
  readonly detail: string;
}

export const CONDITIONS: Sheet<Condition> = {
  columns: [
    { name: 'part', of: ({ part }) => part },
    { name: 'good', of: ({ isGood }) => (isGood ? 'yes' : 'no') },
    { name: 'state', of: ({ state }) => state },
    { name: 'detail', of: ({ detail }) => detail },
  ],
  id: ({ part }) => part,
  json: ({ part, isGood, state, detail }) => ({ part, good: isGood, state, detail }),
};
