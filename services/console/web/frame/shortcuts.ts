/** The keyboard: Ctrl-K for all, `g` and a letter for a page, `/` to search, `j` and `k` through a list, `l` live, `t` time machine. */
import { useEffect } from 'react';
import { liveStore } from '../state/reads.js';
import { goTo, linkTo } from '../state/route.js';
import { PAGES } from './pages.js';

/** `g` waits so long for its letter. */
const CHORD_MS = 1_500;

export function useShortcuts(): void {
  useEffect(() => {
    let since_ms = -Infinity;
    const onKey = (event: KeyboardEvent) => {
      if ((event.ctrlKey || event.metaKey) && event.key === 'k') {
        // Within a dialog the key is the browser's.
        if (isWithin(event.target, 'dialog')) return;
        document.getElementById('palette')?.click();
        event.preventDefault();
        return;
      }
      if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return;
      const isChord = event.timeStamp - since_ms < CHORD_MS;
      since_ms = event.key === 'g' && !isChord ? event.timeStamp : -Infinity;
      if (isChord ? openPage(event.key) : act(event.key)) event.preventDefault();
    };
    document.addEventListener('keydown', onKey);
    return () => document.removeEventListener('keydown', onKey);
  }, []);
}

function isTyping(target: EventTarget | null): boolean {
  return isWithin(target, 'input, select, textarea, dialog');
}

function isWithin(target: EventTarget | null, selector: string): boolean {
  return target instanceof HTMLElement && target.closest(selector) !== null;
}

function openPage(key: string): boolean {
  const page = PAGES.find((each) => each.key === key);
  if (page !== undefined) goTo(linkTo(page.name));
  return page !== undefined;
}

function act(key: string): boolean {
  switch (key) {
    case '/':
      document.getElementById('search')?.focus();
      return true;
    case 'j':
      return moveRow(1);
    case 'k':
      return moveRow(-1);
    case 'l':
      liveStore.set(!liveStore.get());
      return true;
    case 't':
      document.getElementById('as-of')?.click();
      return true;
    case 'n':
      document.getElementById('act')?.click();
      return true;
    case 'c':
      document.getElementById('copy-as')?.click();
      return true;
    case '?':
      document.getElementById('help')?.click();
      return true;
    default:
      return false;
  }
}

/** Moves the focus through the links of the rows; Enter then opens one. */
function moveRow(step: number): boolean {
  const rows = [...document.querySelectorAll<HTMLElement>('[data-row]')].sort(
    (a, b) => a.getBoundingClientRect().top - b.getBoundingClientRect().top,
  );
  const at = rows.findIndex((row) => row === document.activeElement);
  const next = at < 0 ? rows[0] : rows[at + step];
  next?.focus();
  next?.scrollIntoView({ block: 'nearest' });
  return next !== undefined;
}
