/**
 * The auditor of a torture run. It trusts neither the server's words about itself nor its proof: it holds what the callers saw
 * against the log, and folds the log with arithmetic of its own.
 */
import type { AccountFacts, Attempt, History, LoggedEvent, SentCommand } from './history.js';

export interface Finding {
  readonly kind: 'lost' | 'doubled' | 'wrong';
  /** A sentence. */
  readonly text: string;
  /** When the command was answered that it is about, by the clock of the run; undefined where it is about none. */
  readonly at_ms: number | undefined;
}

/** What was found wrong, and how much was looked at. */
export interface Verdict {
  readonly findings: readonly Finding[];
  readonly acknowledged: number;
  /** Commands whose outcome no attempt told; they may be in the log once or not at all. */
  readonly open: number;
  readonly refused: number;
  /** Commands that an attempt left open and a later one told. */
  readonly resolved: number;
  readonly reads: number;
  readonly events: number;
}

type Find = (text: string, kind?: Finding['kind'], at_ms?: number) => void;

/** Judges a whole run. */
export function audit(history: History): Verdict {
  const findings: Finding[] = [];
  const find: Find = (text, kind = 'wrong', at_ms) => findings.push({ kind, text, at_ms });
  const byRequest = firstEvents(history.log, find);
  for (const command of history.commands) auditCommand(command, byRequest.get(command.requestId) ?? [], find);
  auditOrder(history.commands, find);
  auditLog(history, find);
  auditReads(history, find);
  const ended = (kind: 'answered' | 'refused') =>
    history.commands.filter(({ attempts }) => attempts.some(({ outcome }) => outcome.kind === kind)).length;
  const [acknowledged, refused] = [ended('answered'), ended('refused')];
  return {
    findings,
    acknowledged,
    refused,
    open: history.commands.length - acknowledged - refused,
    resolved: history.commands.filter(wasResolved).length,
    reads: history.balanceReads.length + history.transactionReads.length,
    events: history.log.length,
  };
}

function wasResolved({ attempts }: SentCommand): boolean {
  const isOpen = ({ outcome }: Attempt) => outcome.kind === 'unknown';
  return attempts.some(isOpen) && !attempts.every(isOpen);
}

/** The first event of each command, by request id; positions rise. */
function firstEvents(log: readonly LoggedEvent[], find: Find): ReadonlyMap<string, readonly LoggedEvent[]> {
  const found = new Map<string, LoggedEvent[]>();
  let before = -1n;
  for (const event of log) {
    if (event.position <= before)
      find(`the log goes from position ${text(before)} to ${text(event.position)}`);
    before = event.position;
    if (event.requestId === '' || event.ordinal !== 0) continue;
    const same = found.get(event.requestId);
    if (same === undefined) found.set(event.requestId, [event]);
    else same.push(event);
  }
  return found;
}

function auditCommand(
  { requestId, what, attempts }: SentCommand,
  events: readonly LoggedEvent[],
  find: Find,
): void {
  const name = `${what} ${requestId}`;
  const [event] = events;
  const at_ms = attempts.find(({ outcome }) => outcome.kind === 'answered')?.ended_ms;
  if (events.length > 1) find(`${name} is in the log ${String(events.length)} times`, 'doubled', at_ms);
  const answers = attempts.flatMap(({ outcome }) => (outcome.kind === 'answered' ? [outcome] : []));
  const isRefused = attempts.some(({ outcome }) => outcome.kind === 'refused');
  const [first] = answers;
  if (first === undefined) {
    if (isRefused && event !== undefined) find(`${name} was refused, and is in the log`);
    return;
  }
  if (isRefused) find(`${name} was answered once and refused once`, 'wrong', at_ms);
  if (event === undefined) {
    const where = `position ${text(first.position)}`;
    find(`${name} was acknowledged at ${where}, and is not in the log`, 'lost', at_ms);
    return;
  }
  const wrong = (what: string) => {
    find(what, 'wrong', at_ms);
  };
  for (const answer of answers) {
    if (answer.position !== event.position)
      wrong(`${name} is at position ${text(event.position)}, and an answer says ${text(answer.position)}`);
    if (answer.declined !== event.declined) wrong(`${name} is answered otherwise than the log has it`);
    if (answer.said !== first.said) wrong(`${name} was answered in two ways`);
  }
}

/**
 * A command that was sent after another was answered stands after it in the log. Answers are swept in the order of their
 * ends: the highest position answered so far bounds all that is sent from then on.
 */
function auditOrder(commands: readonly SentCommand[], find: Find): void {
  const begun: { at_ms: number; position: bigint; requestId: string }[] = [];
  const ended: { at_ms: number; position: bigint; requestId: string }[] = [];
  for (const { requestId, attempts } of commands) {
    const answered = attempts.find(({ outcome }) => outcome.kind === 'answered');
    const [first] = attempts;
    if (answered?.outcome.kind !== 'answered' || first === undefined) continue;
    const { position } = answered.outcome;
    begun.push({ at_ms: first.sent_ms, position, requestId });
    ended.push({ at_ms: answered.ended_ms, position, requestId });
  }
  begun.sort((one, other) => one.at_ms - other.at_ms);
  ended.sort((one, other) => one.at_ms - other.at_ms);
  let highest = { position: -1n, requestId: '' };
  let next = 0;
  for (const command of begun) {
    for (let end = ended[next]; end !== undefined && end.at_ms < command.at_ms; end = ended[++next]) {
      if (end.position > highest.position) highest = end;
    }
    // Those of one batch share a position's neighbourhood, never one position.
    if (command.position < highest.position)
      find(`${command.requestId} was sent after ${highest.requestId} was answered, and stands before it`);
  }
}

/** The sums of all accounts are zero after every event, versions rise by steps, and the view says what the log says. */
function auditLog({ log, balances }: History, find: Find): void {
  const accounts = new Map<string, AccountFacts>();
  let sum = 0n;
  for (const { position, accounts: touched } of log) {
    for (const [accountId, state] of touched) {
      const before = accounts.get(accountId);
      sum += net(state) - (before === undefined ? 0n : net(before));
      if (before !== undefined && state.version < before.version)
        find(
          `account ${accountId} goes back to version ${text(state.version)} at position ${text(position)}`,
        );
      accounts.set(accountId, state);
    }
    if (sum !== 0n) {
      find(`after position ${text(position)} all accounts together hold ${text(sum)}`);
      return;
    }
  }
  for (const [accountId, state] of balances) {
    const folded = accounts.get(accountId);
    if (folded === undefined || !isSame(folded, state))
      find(`the balances view has ${said(state)} for ${accountId}, the log ${said(folded)}`);
  }
  for (const accountId of accounts.keys()) {
    if (!balances.has(accountId)) find(`the balances view has no account ${accountId}`);
  }
}

/** Each read is at least as fresh as its token asked for, and says what the log said at the position that it names. */
function auditReads({ log, balanceReads, transactionReads }: History, find: Find): void {
  const changes = new Map<string, { readonly position: bigint; readonly state: AccountFacts }[]>();
  for (const { position, accounts } of log) {
    for (const [accountId, state] of accounts) {
      const known = changes.get(accountId);
      if (known === undefined) changes.set(accountId, [{ position, state }]);
      else known.push({ position, state });
    }
  }
  for (const { accountId, required, asOf, state } of balanceReads) {
    if (asOf < required)
      find(`a balance of ${accountId} is as of ${text(asOf)}, and its token asked for ${text(required)}`);
    const folded = changes.get(accountId)?.findLast(({ position }) => position <= asOf)?.state;
    if (folded === undefined || !isSame(folded, state))
      find(`a read of ${accountId} as of ${text(asOf)} said ${said(state)}, the log says ${said(folded)}`);
  }
  for (const { transactionId, required, asOf, position } of transactionReads) {
    if (asOf < required)
      find(
        `transaction ${transactionId} was read as of ${text(asOf)}, its token asked for ${text(required)}`,
      );
    if (position !== required)
      find(
        `transaction ${transactionId} of position ${text(required)} was read as of ${text(position ?? -1n)}`,
      );
  }
}

function net({ credits, debits }: AccountFacts): bigint {
  return credits - debits;
}

function isSame(one: AccountFacts, other: AccountFacts): boolean {
  return (
    one.credits === other.credits &&
    one.debits === other.debits &&
    one.held === other.held &&
    one.version === other.version
  );
}

function said(state: AccountFacts | undefined): string {
  if (state === undefined) return 'nothing';
  const { credits, debits, held, version } = state;
  return `credits ${text(credits)}, debits ${text(debits)}, held ${text(held)}, version ${text(version)}`;
}

function text(value: bigint): string {
  return String(value);
}
