/** Which form is open, and what it was opened with. */
import { createStore } from './store.js';

export interface OpenAction {
  readonly id: string;
  readonly preset: Readonly<Record<string, string>>;
}

export const actionStore = createStore<OpenAction | undefined>(undefined);

export function openAction(id: string, preset: Readonly<Record<string, string>> = {}): void {
  actionStore.set({ id, preset });
}
