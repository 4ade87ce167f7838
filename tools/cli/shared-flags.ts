/** The flags that verbs of one kind share. */
import { choice, duration_ms, grouped, idOf, text, toggle, value, wholeNumber } from './flags.js';
import type { OutputForm } from './printer.js';
import { CONNECTION_FLAGS } from './settings.js';

const FORMS: Readonly<Record<OutputForm, OutputForm>> = {
  table: 'table',
  wide: 'wide',
  json: 'json',
  ndjson: 'ndjson',
  csv: 'csv',
  id: 'id',
};

const OUTPUT_FLAGS = grouped('Output', {
  output: { ...choice('form', 'the form of the data', FORMS), letter: 'o' },
  columns: value('names', 'the columns of table, wide and csv, separated by commas', (typed) =>
    typed.split(',').map((name) => name.trim()),
  ),
});

/** Where the server is, and for how long to try. */
export const CONNECT_FLAGS = {
  ...CONNECTION_FLAGS,
  ...grouped('Connection', {
    timeout: value('duration', 'for how long to try, such as 30s (default) or 2m', duration_ms),
  }),
};

/** Of every verb that calls a server. */
export const CALL_FLAGS = { ...OUTPUT_FLAGS, ...CONNECT_FLAGS };

/** Of what concerns one ledger. */
export const LEDGER_FLAGS = grouped('Connection', { ledger: idOf('ledger', text('ledger', 'the ledger')) });

/** Of every command. */
export const COMMAND_FLAGS = grouped('Safety', {
  requestId: text(
    'uuid',
    'the id of the command (default: a fresh UUID, which is printed); a second command with it replays',
  ),
  dryRun: toggle('say what would happen now, and store nothing'),
});

/** Of every read. */
export const FRESHNESS_FLAGS = grouped('Freshness', {
  fresh: toggle('wait for all that was committed before the call'),
  stale: toggle('take what the read model has'),
  after: text('token', 'wait for the command that answered with this consistency token'),
});

/** Of every list. */
export const LIST_FLAGS = grouped('Output', {
  limit: value('rows', 'so many rows at most (default 50)', wholeNumber),
  all: toggle('all rows'),
});

/** Of lists that can be read from their end. */
export const ORDER_FLAGS = grouped('Output', { desc: toggle('the newest first') });

/** Of what can be watched. */
export const WATCH_FLAGS = grouped('Output', {
  watch: { ...toggle('go on, and print what changes, until Ctrl-C'), letter: 'w' },
});
