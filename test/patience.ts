/**
 * How long tests wait for what must happen, milliseconds. It only ends a test that hangs, with the name of what it waits for, so it
 * lies below jest's own limit (testTimeout); no test is about it. The tests of the stack share their cores with many servers, and
 * jest.stack.config.mjs gives them more.
 */
export const PATIENCE_MS = Number(process.env['QUITTANCE_TEST_PATIENCE_MS'] ?? 50_000);

/** The deadline of calls that are not about deadlines, milliseconds: a view may need its time on a busy machine. */
export const CALL_PATIENCE_MS = 40_000;
