/** Moved to sql/generations.sql.ts; here until reports/sql/read.sql.ts imports it from there. */
export { checkpointColumns } from './sql/generations.sql.js';
