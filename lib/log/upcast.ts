/**
 * Old forms of events as the form of today: the one place that knows of them. What is written is always of today, and
 * what was written stays as it is, so a form that was ever written stays here for ever. See docs/evolve-an-event.md.
 */
import type { Event } from '../../gen/quittance/event/v1/event_pb.js';
import { commandOf } from './canonical-body.js';

/** Translates an event that was just decoded, in place. @throws Error if it is none that was ever written */
export function upcast(event: Event): Event {
  switch (event.payload.case) {
    case 'ledgerCreated':
      event.payload = { case: 'ledgerCreatedV2', value: ledgerCreated(event) };
      return event;
    default:
      return event;
  }
}

/** Version 1 had the description and the metadata in the request only. */
function ledgerCreated(event: Event) {
  const command = commandOf(event);
  if (command?.case !== 'createLedger') throw new Error('a ledger is created by a request for it');
  const { description, metadata } = command.value;
  return { $typeName: 'quittance.event.v2.LedgerCreated' as const, description, metadata };
}
