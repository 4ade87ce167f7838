/** What the tables for look-ups must say of events, and whether they do. */
import { VerifySubject } from '../../../gen/quittance/ops/v1/ledger_service_pb.js';
import { isSameBytes } from '../../../lib/base/bytes.js';
import { streamIdOf } from '../../../lib/log/stream-id.js';
import { uuidFromBytes } from '../../../lib/base/uuid.js';
import type { FindingSink } from '../compare/findings.js';
import type { Copies, StoredCopies } from '../ports.js';
import type { LogRecord } from './chain-walk.js';

const UUID_BYTES = 16;

/** Where the events of a ledger stand in a flush. */
interface LedgerFlush {
  readonly ledgerId: string;
  readonly first: bigint;
  readonly indexes: number[];
}

/** Gathers what is expected of the events of any number of flushes. */
export class ExpectedCopies {
  readonly #requests: { requestId: string; ledgerId: string; position: bigint }[] = [];
  readonly #ledgers = new Map<string, LedgerFlush>();
  readonly #streams: { ledgerId: string; streamId: string; position: bigint }[] = [];

  /** Takes in an event of the flush that begins at `first`. */
  add({ position, event }: LogRecord, first: bigint): void {
    const { ledgerId, requestId, ordinal, stream } = event;
    const hasKey = ordinal === 0 && requestId.length === UUID_BYTES;
    if (hasKey) this.#requests.push({ requestId: uuidFromBytes(requestId), ledgerId, position });
    // Events of no ledger are in no ledger's pages.
    if (ledgerId === '') return;
    const key = `${String(first)} ${ledgerId}`;
    const known = this.#ledgers.get(key);
    const index = Number(position - first);
    if (known === undefined) this.#ledgers.set(key, { ledgerId, first, indexes: [index] });
    else known.indexes.push(index);
    const isFoundByRequest =
      hasKey && stream.case === 'transactionStreamId' && isSameBytes(stream.value, requestId);
    const isUuid = stream.case !== 'transactionStreamId' || stream.value.length === UUID_BYTES;
    if (!isFoundByRequest && isUuid) this.#streams.push({ ledgerId, streamId: streamIdOf(event), position });
  }

  /** What to read. */
  get asked(): Copies {
    return { requests: this.#requests, ledgers: [...this.#ledgers.values()], streams: this.#streams };
  }

  /** Compares with what was read. */
  compare(stored: StoredCopies, findings: FindingSink): void {
    const found = (position: bigint, entity: string, expected: string, actual: string) => {
      if (expected === actual) return;
      findings.add({ subject: VerifySubject.LOG, position, entity, expected, actual });
    };
    for (const [index, { position }] of this.#requests.entries()) {
      found(position, 'request_keys', String(position), String(stored.requests[index] ?? null));
    }
    for (const [index, { first, indexes, ledgerId }] of [...this.#ledgers.values()].entries()) {
      const actual = stored.ledgers[index]?.join(',') ?? 'none';
      const position = first + BigInt(indexes[0] ?? 0);
      found(position, `ledger_flushes ${ledgerId}`, indexes.join(','), actual);
    }
    for (const [index, { position, streamId }] of this.#streams.entries()) {
      const actual = stored.streams[index] === true ? streamId : 'none';
      found(position, 'streams', streamId, actual);
    }
  }
}
