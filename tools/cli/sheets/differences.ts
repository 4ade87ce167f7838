/** How the difference of two balances is shown. */
import type { Sheet } from '../sheet.js';

export interface Difference {
  readonly name: string;
  readonly before: string;
  readonly after: string;
  readonly change: string;
  readonly currency: string;
}

export const DIFFERENCES: Sheet<Difference> = {
  columns: [
    { name: 'what', of: ({ name }) => name },
    { name: 'before', of: ({ before }) => before, isRight: true },
    { name: 'after', of: ({ after }) => after, isRight: true },
    { name: 'change', of: ({ change }) => change, isRight: true },
    { name: 'currency', of: ({ currency }) => currency },
  ],
  id: ({ name }) => name,
  json: ({ name, before, after, change, currency }) => ({ name, before, after, change, currency }),
};
