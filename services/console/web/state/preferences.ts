/** What an operator chooses once per browser: zone, theme, density. */
import { createStore, type Store, useStore } from './store.js';
import { LOCAL_ZONE } from '../times.js';

function kept(name: string, otherwise: string, isAllowed: (value: string) => boolean): Store<string> {
  const key = `quittance.${name}`;
  const found = localStorage.getItem(key);
  const store = createStore(found !== null && isAllowed(found) ? found : otherwise);
  store.subscribe(() => {
    localStorage.setItem(key, store.get());
  });
  return store;
}

/** Whether the browser knows the zone. */
export function isZone(name: string): boolean {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: name }).resolvedOptions().timeZone !== '';
  } catch {
    return false;
  }
}

export const zoneStore = kept('zone', 'UTC', isZone);
export const themeStore = kept('theme', 'auto', (value) => ['auto', 'light', 'dark'].includes(value));
export const densityStore = kept('density', 'dense', (value) => ['dense', 'roomy'].includes(value));

/** Hidden columns as words `list/column`, one per line. */
const hiddenStore = kept('hidden-columns', '', () => true);

export interface HiddenColumns {
  isHidden(name: string): boolean;
  toggle(name: string): void;
}

/** Which columns of a list the operator does not want to see. */
export function useHiddenColumns(list: string): HiddenColumns {
  const hidden = new Set(
    useStore(hiddenStore)
      .split('\n')
      .filter((word) => word !== ''),
  );
  return {
    isHidden: (name) => hidden.has(`${list}/${name}`),
    toggle: (name) => {
      const word = `${list}/${name}`;
      if (!hidden.delete(word)) hidden.add(word);
      hiddenStore.set([...hidden].join('\n'));
    },
  };
}

/** Zones to choose from; a named one is typed. */
export const USUAL_ZONES: readonly string[] = [...new Set(['UTC', LOCAL_ZONE])];

/** Sets on the page what the style sheet asks for, now and at each change. */
export function applyPreferences(root: HTMLElement): void {
  const apply = () => {
    root.dataset['theme'] = themeStore.get();
    root.dataset['density'] = densityStore.get();
  };
  apply();
  themeStore.subscribe(apply);
  densityStore.subscribe(apply);
}
