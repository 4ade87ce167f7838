/** One pass of the fold over a ledger's events: checks them, and says what rows every subject must hold. */
import { VerifySubject } from '../../../gen/quittance/ops/v1/ledger_service_pb.js';
import type { AccountState, Event } from '../../../gen/quittance/event/v1/event_pb.js';
import { TransactionStatus } from '../../../gen/quittance/common/v1/transaction_pb.js';
import { AccountFold } from './account-fold.js';
import { balanceContent, balanceKey } from '../rows/balances-rows.js';
import type { LogRecord } from '../log/chain-walk.js';
import { Chains } from './chains.js';
import type { Comparison } from '../compare/comparison.js';
import type { AccountFacts, TransactionFacts } from './facts.js';
import { type FindingSink, NO_FINDINGS } from '../compare/findings.js';
import type { HashRange } from './hash-range.js';
import * as history from '../rows/history-rows.js';
import type { KeyCheckpoints } from '../log/key-checkpoints.js';
import { requestOf, UnreadableEventError } from './made-by.js';
import { PeriodFold } from './periods.js';
import type { StoredLog } from '../ports.js';
import { ReportSums } from '../rows/report-sums.js';
import { hasStateRow, stateAccountContent, stateKey, stateTransactionContent } from '../rows/state-rows.js';
import type { Complain, Effect } from './transaction-fold.js';

/** The comparisons to which a pass gives the rows that it expects. */
export interface Comparisons {
  readonly state: Comparison;
  readonly balances: Comparison;
  readonly history: Comparison;
  readonly reports: Comparison;
}

/** At which checkpoint each row of the state tables was read. */
export interface StateCheckpoints {
  readonly accounts: KeyCheckpoints;
  readonly transactions: KeyCheckpoints;
}

export interface LedgerPassOptions {
  readonly ledgerId: string;
  /** The position that is verified to. */
  readonly through: bigint;
  readonly stored: StoredLog;
  /** The accounts of this pass. */
  readonly range: HashRange;
  /** The first pass also deals with all that is not of one account. */
  readonly isFirst: boolean;
  /** The ends of the periods that were closed up to `through`, UTC microseconds. */
  readonly periodEnds: readonly bigint[];
  /** How many chains of transactions with an open hold are kept in memory. */
  readonly mostChains: number;
  readonly comparisons: Comparisons;
  readonly checkpoints: StateCheckpoints;
  /** Where findings about the log go. */
  readonly logFindings: FindingSink;
  /** Where findings about rows beyond `through` go. */
  readonly rowFindings: FindingSink;
}

/**
 * The state tables' rows have no position of their own: each is compared as of the checkpoint it was read at.
 */
const STATE_POSITION = 0n;

/**
 * Give it the ledger's events in order: those up to `through`, then `finishVerifiedRange()`, then the events
 * beyond that some rows need, then `end()`.
 */
export class LedgerPass {
  readonly #options: LedgerPassOptions;
  readonly #accounts: AccountFold;
  readonly #chains: Chains;
  readonly #sums: ReportSums;
  readonly #periods: PeriodFold;
  /** Accounts whose state row was expected already, as of its checkpoint. */
  readonly #stateDone = new WeakSet<AccountFacts>();
  #isBeyond = false;

  constructor(options: LedgerPassOptions) {
    const { ledgerId, stored, range, mostChains, periodEnds } = options;
    this.#options = options;
    this.#chains = new Chains(stored, ledgerId, mostChains);
    this.#sums = new ReportSums(ledgerId);
    this.#periods = new PeriodFold(periodEnds);
    this.#accounts = new AccountFold(range, {
      before: (account, position) => {
        this.#beforeChange(account, position);
      },
      after: (account, position) => {
        if (this.#isBeyond) this.#expectAccount(account, position);
      },
    });
  }

  async apply(record: LogRecord): Promise<void> {
    const { isFirst } = this.#options;
    const about = (findings: FindingSink): Complain => {
      return (entity, expected, actual) => {
        findings.add({ subject: VerifySubject.LOG, position: record.position, entity, expected, actual });
      };
    };
    const log = this.#isBeyond ? NO_FINDINGS : this.#options.logFindings;
    const first = about(isFirst ? log : NO_FINDINGS);
    try {
      const effects = await this.#chains.apply(record, first);
      if (isFirst) this.#expectEvent(record, effects);
      if (isFirst && !this.#isBeyond) this.#checkPeriods(record, effects, first);
      this.#accounts.apply(record, effects, about(log));
    } catch (error) {
      if (!(error instanceof UnreadableEventError)) throw error;
      first('event', 'an event that can be read as what it is', error.message);
    }
  }

  #checkPeriods({ event }: LogRecord, effects: readonly Effect[], complain: Complain): void {
    for (const { before, after } of effects) if (before === undefined) this.#periods.made(after, complain);
    this.#periods.apply(event, complain);
  }

  /** All events up to `through` were applied. Adds each currency's balances to `sums`. */
  finishVerifiedRange(sums: Map<string, bigint>): void {
    const { logFindings, through, isFirst } = this.#options;
    for (const account of this.#accounts.accounts.values()) {
      const { accountId, currency, credits, debits, held, reserved } = account;
      sums.set(currency, (sums.get(currency) ?? 0n) + credits - debits);
      if (held !== reserved) {
        const expected = `open holds sum to held: ${reserved}`;
        logFindings.add({
          subject: VerifySubject.LOG,
          position: through,
          entity: accountId,
          expected,
          actual: `held ${held}`,
        });
      }
      this.#expectAccount(account, account.position);
    }
    if (isFirst) this.#sums.emit(this.#expectReport);
    this.#isBeyond = true;
  }

  /** All events that any row needs were applied. */
  end(): void {
    for (const account of this.#accounts.accounts.values()) this.#expectState(account);
  }

  #expectAccount(account: AccountFacts, position: bigint): void {
    const { ledgerId, comparisons, rowFindings } = this.#options;
    const { accountId, ownPosition } = account;
    const key = balanceKey(ledgerId, accountId);
    if (comparisons.balances.isCompared(key, position)) {
      comparisons.balances.addExpected(key, position, balanceContent(account), rowFindings);
    }
    // Its own row changes with its own events only.
    if (this.#isBeyond && ownPosition !== position) return;
    const ownKey = history.historyKey.account(ledgerId, accountId);
    if (comparisons.history.isCompared(ownKey, ownPosition)) {
      comparisons.history.addExpected(ownKey, ownPosition, history.accountContent(account), rowFindings);
    }
  }

  #beforeChange(account: AccountFacts, position: bigint): void {
    if (this.#stateDone.has(account)) return;
    if (position > this.#options.checkpoints.accounts.at(account.accountId)) this.#expectState(account);
  }

  #expectState(account: AccountFacts): void {
    if (this.#stateDone.has(account)) return;
    this.#stateDone.add(account);
    const { comparisons, checkpoints, rowFindings } = this.#options;
    const { accountId, openedPosition } = account;
    if (openedPosition > checkpoints.accounts.at(accountId)) return;
    const key = stateKey.account(accountId);
    if (!comparisons.state.isCompared(key, STATE_POSITION)) return;
    comparisons.state.addExpected(key, STATE_POSITION, stateAccountContent(account), rowFindings);
  }

  #expectEvent({ position, event }: LogRecord, effects: readonly Effect[]): void {
    const { ledgerId, comparisons, rowFindings } = this.#options;
    const view = comparisons.history;
    if (event.payload.case === 'ledgerCreatedV2') {
      const command = requestOf(event);
      if (command.case !== 'createLedger')
        throw new UnreadableEventError('a ledger created by another command');
      // The request is what was asked for; that the event says the same is what the view's row shows.
      const { description, metadata } = command.value;
      const ledger = { ledgerId, description, metadata, position, createTime: event.recordedTimeMicros };
      view.addExpected(
        history.historyKey.ledger(ledgerId),
        position,
        history.ledgerContent(ledger),
        rowFindings,
      );
    }
    for (const state of accountsIn(event)) {
      const key = history.historyKey.version(ledgerId, state.accountId, position);
      if (view.isCompared(key, position))
        view.addExpected(key, position, history.versionContent(state), rowFindings);
    }
    for (const effect of effects) {
      this.#expectTransaction(effect);
      this.#expectTransactionState(effect, position);
      if (effect.before === undefined) this.#expectMade(effect.after);
    }
  }

  #expectTransaction({ before, after }: Effect): void {
    const { ledgerId, comparisons, rowFindings } = this.#options;
    const view = comparisons.history;
    const key = history.historyKey.transaction(ledgerId, after.position);
    if (!this.#isBeyond && before !== undefined && view.isCompared(key, before.changedPosition)) {
      view.removeExpected(key, before.changedPosition, history.transactionContent(ledgerId, before));
    }
    if (!view.isCompared(key, after.changedPosition)) return;
    view.addExpected(key, after.changedPosition, history.transactionContent(ledgerId, after), rowFindings);
  }

  #expectTransactionState({ before, after }: Effect, position: bigint): void {
    const { comparisons, checkpoints, rowFindings } = this.#options;
    const { state } = comparisons;
    if (!hasStateRow(after)) return;
    const key = stateKey.transaction(after.transactionId);
    if (position > checkpoints.transactions.at(after.transactionId) || !state.isCompared(key, STATE_POSITION))
      return;
    if (before !== undefined && hasStateRow(before)) {
      state.removeExpected(key, STATE_POSITION, stateTransactionContent(before));
    }
    state.addExpected(key, STATE_POSITION, stateTransactionContent(after), rowFindings);
  }

  #expectMade(made: TransactionFacts): void {
    const { ledgerId, comparisons, rowFindings } = this.#options;
    const { position, effectiveTime } = made;
    if (made.status === TransactionStatus.POSTED) {
      for (const [index, entry] of made.entries.entries()) {
        const key = history.historyKey.entry(ledgerId, position, index);
        if (!comparisons.history.isCompared(key, position)) continue;
        comparisons.history.addExpected(
          key,
          position,
          history.entryContent(entry, effectiveTime),
          rowFindings,
        );
      }
    }
    // Sums that were emitted when the fold reached `through` are not emitted again when their 15 minutes are
    // over.
    const closed = this.#isBeyond ? () => undefined : this.#expectReport;
    const touched = this.#sums.add(made, this.#expectReport, closed);
    if (this.#isBeyond) this.#sums.emit(this.#expectReport, new Set(touched));
  }

  readonly #expectReport = (key: string, position: bigint, content: string): void => {
    this.#options.comparisons.reports.addExpected(key, position, content, this.#options.rowFindings);
  };
}

/**
 * The accounts that an event changed, as it carries them; the fold has checked that. On purpose a copy of
 * `accountsChangedBy` in lib/log/account-of.ts: the views are folded by that one, and a mistake in it must
 * show here.
 */
function accountsIn({ payload }: Event): readonly AccountState[] {
  switch (payload.case) {
    case 'assetRegistered':
    case 'accountOpened':
    case 'accountUpdated':
    case 'accountFrozen':
    case 'accountUnfrozen':
    case 'accountClosed':
      return payload.value.account === undefined ? [] : [payload.value.account];
    case 'transactionPosted':
    case 'paymentAuthorized':
    case 'paymentAdjusted':
    case 'paymentVoided':
    case 'paymentExpired':
      return payload.value.accounts;
    default:
      return [];
  }
}
