/** Writes docs/scopes.md from the table of the methods' rules. Run by `npm run generate:scopes`, which builds first. */
import { writeFileSync } from 'node:fs';
import { scopesPage } from '../dist/lib/auth/scopes-page.js';

writeFileSync(new URL('../docs/scopes.md', import.meta.url), scopesPage());
