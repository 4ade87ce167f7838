/** Stops what global-setup.ts started; the server's directory goes with it. */
export default async function globalTeardown(): Promise<void> {
  await globalThis.quittanceStopTestPostgres?.();
}
