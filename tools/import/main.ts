/** `npm run import -- FILE --ledger LEDGER`: books the account movements of a file into a ledger. */
import { importCommand } from './import-command.js';

process.exitCode = await importCommand(process.argv.slice(2), process);
