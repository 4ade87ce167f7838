/**
 * The transactions of a ledger, stream by stream: those used last in memory, the others read from the log
 * when needed.
 */
import { LRUCache } from 'lru-cache';
import { TransactionStatus } from '../../../gen/quittance/common/v1/transaction_pb.js';
import { decodeStored, type LogRecord } from '../log/chain-walk.js';
import { idOf, UnreadableEventError } from './made-by.js';
import type { StoredLog } from '../ports.js';
import { type Chain, type Complain, type Effect, foldTransactions } from './transaction-fold.js';

const PAGE_EVENTS = 1_000;
/**
 * Chains kept of which no hold is open: few are ever asked for again, and what lives through a collection of the young generation is
 * copied twice.
 */
const MOST_SETTLED = 250;

/**
 * Each chain of transactions is in one stream of the log, so one that was forgotten is folded again from its
 * stream alone: memory is bounded by how many are kept, however many transactions there are.
 */
export class Chains {
  readonly #log: StoredLog;
  readonly #ledgerId: string;
  readonly #open: LRUCache<string, Chain>;
  readonly #settled: LRUCache<string, Chain>;

  /** @param most how many chains with an open hold are kept */
  constructor(log: StoredLog, ledgerId: string, most: number) {
    this.#log = log;
    this.#ledgerId = ledgerId;
    this.#open = new LRUCache({ max: most });
    this.#settled = new LRUCache({ max: Math.min(most, MOST_SETTLED) });
  }

  /** What the event does to transactions. @throws UnreadableEventError */
  apply(record: LogRecord, complain: Complain): readonly Effect[] | Promise<readonly Effect[]> {
    const { event } = record;
    if (event.stream.case !== 'transactionStreamId') return [];
    const streamId = idOf(event.stream.value);
    const kept = this.#settled.get(streamId) ?? this.#open.get(streamId);
    if (kept !== undefined) return this.#fold(streamId, kept, record, complain);
    if (streamId === idOf(event.requestId) && event.payload.case !== 'transactionUpdated') {
      return this.#fold(streamId, new Map(), record, complain);
    }
    return this.#load(streamId, record.position).then((chain) =>
      this.#fold(streamId, chain, record, complain),
    );
  }

  #fold(streamId: string, chain: Chain, record: LogRecord, complain: Complain): readonly Effect[] {
    try {
      return foldTransactions(chain, record, complain);
    } finally {
      const isOpen = chain.get(streamId)?.status === TransactionStatus.AUTHORIZED;
      const [into, from] = isOpen ? [this.#open, this.#settled] : [this.#settled, this.#open];
      into.set(streamId, chain);
      from.delete(streamId);
    }
  }

  /**
   * The chain as it is before a position. What is wrong with it was found when its events were folded first.
   */
  async #load(streamId: string, before: bigint): Promise<Chain> {
    const chain: Chain = new Map();
    for (let after = -1n; ;) {
      const page = { after, through: before - 1n, limit: PAGE_EVENTS, ledgerId: this.#ledgerId, streamId };
      const rows = await this.#log.page(page);
      for (const row of rows) fold(chain, streamId, decodeStored(row));
      const last = rows.at(-1);
      if (last === undefined || rows.length < PAGE_EVENTS) return chain;
      after = last.position;
    }
  }
}

function fold(chain: Chain, streamId: string, record: LogRecord | undefined): void {
  // The command that has the id of a stream may belong to another one.
  if (record?.event.stream.case !== 'transactionStreamId') return;
  if (idOf(record.event.stream.value) !== streamId) return;
  try {
    foldTransactions(chain, record, () => undefined);
  } catch (error) {
    if (!(error instanceof UnreadableEventError)) throw error;
  }
}
