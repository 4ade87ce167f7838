/** Stops what global-setup.mjs started; the server's directory goes with it. */
export default async function globalTeardown() {
  await globalThis.quittanceStopTestPostgres?.();
}
