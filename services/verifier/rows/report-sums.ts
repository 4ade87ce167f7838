/** The rows that the fold expects in the reports view. */
import { Direction, TransactionStatus } from '../../../gen/quittance/common/v1/transaction_pb.js';
import type { TransactionFacts } from '../fold/facts.js';

/** Whether a row is made by one event and never changed. */
export function isFixedReportRow(key: string): boolean {
  const section = key.split(' ', 2)[1] ?? '';
  return !section.startsWith('sum-');
}

/** Called with each row. */
export type EmitRow = (key: string, position: bigint, content: string) => void;

/** 15 minutes in microseconds. */
const BUCKET = 900_000_000n;

interface Sum {
  position: bigint;
  count: bigint;
  /** [principal], or [debits, credits]. */
  readonly amounts: bigint[];
  /** What stands between count and amounts. */
  readonly fixed: readonly (string | number)[];
}

/**
 * Sums by 15 minutes. recorded_time rises with position, so only the sums of the present 15 minutes are in
 * memory: at most one for each account, kind and effective bucket used in them.
 */
export class ReportSums {
  readonly #ledgerId: string;
  #bucket = -1n;
  #open = new Map<string, Sum>();

  constructor(ledgerId: string) {
    this.#ledgerId = ledgerId;
  }

  /**
   * Adds a transaction that was just made. Emits its own rows to `row`, and to `closed` the sums of the 15
   * minutes that are over. Gives the keys of the sums that it changed.
   */
  add(made: TransactionFacts, row: EmitRow, closed: EmitRow): string[] {
    const bucket = made.recordedTime / BUCKET;
    if (bucket !== this.#bucket) {
      this.emit(closed);
      this.#open = new Map();
      this.#bucket = bucket;
    }
    if (made.status === TransactionStatus.DECLINED) return [this.#addDecline(made, row)];
    return made.status === TransactionStatus.POSTED ? this.#addPosted(made, row) : [];
  }

  /** Emits the sums of the present 15 minutes, all or those of some keys. */
  emit(row: EmitRow, keys: Iterable<string> = this.#open.keys()): void {
    for (const key of keys) {
      const sum = this.#open.get(key);
      if (sum === undefined) continue;
      const content = JSON.stringify([String(sum.count), ...sum.fixed, ...sum.amounts.map(String)]);
      row(key, sum.position, content);
    }
  }

  #addDecline(made: TransactionFacts, row: EmitRow): string {
    const { position, declineReason, currency, amount, recordedTime } = made;
    const content = JSON.stringify([declineReason, currency, String(amount), String(recordedTime)]);
    row(`${this.#ledgerId} decline ${padded(position)}`, position, content);
    return this.#sum(`sum-decline ${this.#recorded()} ${currency} ${declineReason}`, position, [amount], []);
  }

  #addPosted(made: TransactionFacts, row: EmitRow): string[] {
    const { position, kind, entries, effectiveTime, recordedTime } = made;
    const times = `"${effectiveTime}","${recordedTime}"`;
    const buckets = `${this.#recorded()} ${bucketText(effectiveTime / BUCKET)}`;
    const touched: string[] = [];
    for (const [index, { accountId, type, currency, direction, amount }] of entries.entries()) {
      const isDebit = direction === Direction.DEBIT;
      const account = `${JSON.stringify(accountId)},${type},${JSON.stringify(currency)}`;
      const key = `${this.#ledgerId} entry ${padded(position)} ${String(index).padStart(3, '0')}`;
      row(key, position, `[${account},${kind},"${isDebit ? -amount : amount}",${times}]`);
      const amounts = isDebit ? [amount, 0n] : [0n, amount];
      touched.push(
        this.#sum(`sum-entry ${buckets} ${accountId} ${kind}`, position, amounts, [type, currency]),
      );
    }
    for (const [currency, principal] of volumesOf(made)) {
      const content = `[${kind},"${principal}",${times}]`;
      row(`${this.#ledgerId} volume ${padded(position)} ${currency}`, position, content);
      touched.push(this.#sum(`sum-volume ${buckets} ${currency} ${kind}`, position, [principal], []));
    }
    return touched;
  }

  #sum(rest: string, position: bigint, amounts: bigint[], fixed: readonly (string | number)[]): string {
    const key = `${this.#ledgerId} ${rest}`;
    const sum = this.#open.get(key);
    if (sum === undefined) {
      this.#open.set(key, { position, count: 1n, amounts, fixed });
      return key;
    }
    sum.position = position;
    sum.count++;
    for (const [index, amount] of amounts.entries()) sum.amounts[index] = (sum.amounts[index] ?? 0n) + amount;
    return key;
  }

  #recorded(): string {
    return bucketText(this.#bucket);
  }
}

/**
 * The principal in the first currency; in each other one, which only journals and their reversals have, the
 * debits.
 */
function volumesOf({ currency: first, amount, entries }: TransactionFacts): Map<string, bigint> {
  const volumes = new Map([[first, amount]]);
  for (const entry of entries) {
    if (entry.currency === first) continue;
    const debit = entry.direction === Direction.DEBIT ? entry.amount : 0n;
    volumes.set(entry.currency, (volumes.get(entry.currency) ?? 0n) + debit);
  }
  return volumes;
}

function padded(position: bigint): string {
  return String(position).padStart(19, '0');
}

function bucketText(bucket: bigint): string {
  return String(bucket).padStart(10, '0');
}
