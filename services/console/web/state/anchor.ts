/**
 * Anchors: where a ledger's log stood when it was proved, kept where those who can write the database cannot. The files are
 * those of the command line (`quittance verify --anchor`).
 */
import { type CallOptions, Code, ConnectError, createClient, type Transport } from '@connectrpc/connect';
import { EventQueryService } from '../../../../gen/quittance/query/v1/event_query_service_pb.js';
import { hexOf } from '../events.js';

export interface Anchor {
  readonly ledger: string;
  /** Of an event of the ledger. */
  readonly position: string;
  /** Its SHA-256, in hexadecimal digits. */
  readonly hash: string;
}

const FRESH = { requirement: { case: 'fullyConsistent' as const, value: true } };

/** The ledger's last event up to a position, which is the shard's. The browser hashes its stored bytes. */
export async function anchorAt(transport: Transport, ledger: string, position: bigint): Promise<Anchor> {
  const client = createClient(EventQueryService, transport);
  const { events } = await client.listEvents({
    ledgerId: ledger,
    consistency: FRESH,
    endPosition: position + 1n,
    descending: true,
    pageSize: 1,
  });
  const at = events[0]?.event?.position;
  const hash = at === undefined ? undefined : await hashAt(transport, ledger, at);
  if (at === undefined || hash === undefined) throw new Error('a ledger that was proved has no event');
  return { ledger, position: String(at), hash };
}

/** SHA-256 of the bytes that are stored at a position; undefined: the ledger has no event there. */
export async function hashAt(
  transport: Transport,
  ledger: string,
  position: bigint,
  options: CallOptions = {},
): Promise<string | undefined> {
  try {
    const client = createClient(EventQueryService, transport);
    const { storedEvent } = await client.getEvent({ ledgerId: ledger, position }, options);
    return hexOf(new Uint8Array(await crypto.subtle.digest('SHA-256', new Uint8Array(storedEvent))));
  } catch (error) {
    const { code } = ConnectError.from(error);
    // The log is shorter than it was, or holds an event of another ledger there.
    if (code === Code.NotFound || code === Code.OutOfRange) return undefined;
    throw error;
  }
}

/** Reads the text of an anchor's file. @throws Error that says what is wrong with it */
export function anchorOf(text: string, ledger: string): Anchor {
  const read = parsed(text);
  const of = (name: string) => (typeof read[name] === 'string' ? read[name] : '');
  const anchor = { ledger: of('ledger'), position: of('position'), hash: of('hash') };
  if (!/^\d{1,18}$/.test(anchor.position) || !/^[0-9a-f]{64}$/.test(anchor.hash))
    throw new Error('this file is no anchor: it has a ledger, a position and a hash');
  if (anchor.ledger !== ledger) throw new Error(`this anchor is of the ledger ${anchor.ledger}`);
  return anchor;
}

function parsed(text: string): Readonly<Record<string, unknown>> {
  try {
    const read: unknown = JSON.parse(text);
    return typeof read === 'object' && read !== null ? Object.fromEntries(Object.entries(read)) : {};
  } catch {
    return {};
  }
}
