/** What Prometheus learns of the relay. */
import { Counter, Gauge, type Registry } from 'prom-client';
import type { Relay } from './relay.js';

export interface RelayMetrics {
  sent(messages: number, events: number): void;
  failed(): void;
  /** The relay whose figures the gauges show; undefined: none runs here, and the gauges are at rest. */
  watch(relay: Relay | undefined): void;
}

/** Registers the relay's metrics. */
export function relayMetrics(registry: Registry): RelayMetrics {
  const registers = [registry];
  const counter = (name: string, help: string) => new Counter({ name, help, registers });
  const messages = counter(
    'quittance_relay_messages_total',
    'Messages stored by the bus, watermarks included.',
  );
  const relayed = counter(
    'quittance_relay_events_total',
    'Events stored by the bus; those sent again count again.',
  );
  const errors = counter('quittance_relay_errors_total', 'Attempts to send that failed.');
  let relay: Relay | undefined;
  addGauges(registers, () => relay);
  return {
    sent: (sentMessages, events) => {
      messages.inc(sentMessages);
      relayed.inc(events);
    },
    failed: () => {
      errors.inc();
    },
    watch: (next) => {
      relay = next;
    },
  };
}

/** The gauges of what `current` gives; `atRest` is their value while it gives none. */
function addGauges(registers: Registry[], current: () => Relay | undefined): void {
  const gauge = (
    name: string,
    help: string,
    atRest: number,
    read: (relay: Relay) => Promise<number> | number,
  ) =>
    new Gauge({
      name,
      help,
      registers,
      async collect() {
        const relay = current();
        // While the log is away the last value stays: a scrape must not fail for it.
        const value = await Promise.resolve(relay)
          .then((running) => (running === undefined ? atRest : read(running)))
          .catch(() => undefined);
        if (value !== undefined) this.set(value);
      },
    });
  gauge('quittance_relay_position', 'Every event of the log up to this position is on the bus.', 0, (relay) =>
    Number(relay.position),
  );
  gauge('quittance_relay_lag_events', 'How many positions the bus is behind the log.', 0, async (relay) =>
    Number((await relay.lag()).events),
  );
  gauge(
    'quittance_relay_lag_seconds',
    'How long the oldest event has been in the log that is not on the bus.',
    0,
    async (relay) => Number((await relay.lag()).time) / 1e6,
  );
  gauge(
    'quittance_relay_up',
    'Whether the last attempt to send succeeded: 1 or 0; 1 where another process relays.',
    1,
    (relay) => (relay.isUp ? 1 : 0),
  );
}
