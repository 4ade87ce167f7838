/** Reads of accounts: now, at a time or position, between two of them, as a list, as a statement. */
import type { Balance } from '../../../gen/quittance/common/v1/account_pb.js';
import { AccountStatus, AccountType } from '../../../gen/quittance/common/v1/account_pb.js';
import { AccountQueryService } from '../../../gen/quittance/query/v1/account_query_service_pb.js';
import {
  TimeBasis,
  TransactionQueryService,
} from '../../../gen/quittance/query/v1/transaction_query_service_pb.js';
import { UsageError } from '../../../lib/process/command-line.js';
import { NOT_FOUND } from '../exit-codes.js';
import { choice, idOf, many, one, position, text, toggle, value, wordsOf } from '../flags.js';
import { given } from '../given.js';
import { say } from '../io.js';
import { decimalOf } from '../money.js';
import { printPages } from '../pages.js';
import { printList, printOne, printWatch } from '../printer.js';
import type { Session } from '../session.js';
import { CALL_FLAGS, FRESHNESS_FLAGS, LEDGER_FLAGS, LIST_FLAGS, WATCH_FLAGS } from '../shared-flags.js';
import { ACCOUNTS, BALANCES } from '../sheets/accounts.js';
import { DIFFERENCES } from '../sheets/differences.js';
import { STATEMENT_LINES } from '../sheets/entries.js';
import { verb } from '../verb.js';
import { type At, readAt, readWhen } from '../when.js';
import { from } from './answer.js';
import { timeOf } from './fields.js';
import { follow } from './follow.js';
import { balanceOf, METADATA_FLAG } from './row-filters.js';

const SHARED = { ...FRESHNESS_FLAGS, ...LEDGER_FLAGS, ...CALL_FLAGS };

const get = verb({
  name: 'get',
  summary: 'show an account now, or its balance at a time or a position',
  positionals: { account: idOf('account', one('its id')) },
  flags: {
    at: value('when', 'a position, a time, -2h, or effective:TIME', readAt),
    ...WATCH_FLAGS,
    ...SHARED,
  },
  examples: [
    ['quittance account get alice', 'now'],
    ['quittance account get alice --at -2h', 'what was known two hours ago'],
    ['quittance account get alice --at 18231', 'after the event at that position'],
    ['quittance account get alice --at effective:2026-10-31', 'the sum of entries dated up to then'],
    ['quittance account get alice -w', 'now and whenever it changes'],
  ],
  run: async (session, { args: { account: accountId }, flags: { at, watch } }) => {
    if (at !== undefined && watch === true)
      throw new UsageError('--at is the past, which does not change: leave out -w');
    if (watch === true) return watchBalances(session, [accountId]);
    const { ledger: ledgerId, io, format } = session;
    if (at === undefined) {
      const method = AccountQueryService.method.getAccount;
      const answer = await session.read(method, (consistency) => ({ ledgerId, accountId, consistency }));
      if (answer.account !== undefined) await printOne(io, format, ACCOUNTS, { row: answer.account });
      session.sayAsOf(answer.asOf);
      return undefined;
    }
    const { balance, asOf } = await balanceAt(session, accountId, at);
    if (balance !== undefined) await printOne(io, format, BALANCES, { row: balance });
    session.sayAsOf(asOf);
    if (asOf?.final === false)
      say(io, 'later events may still change it: the time asked for is not past yet');
    return undefined;
  },
});

/** The balance as it was, or as it is: the server says what now is, whose clock may be another one. */
function balanceAt(session: Session, accountId: string, at: At | undefined) {
  const { ledger: ledgerId } = session;
  return session.read(AccountQueryService.method.getBalance, (consistency) => ({
    ledgerId,
    accountId,
    consistency,
    ...given({ at: at === undefined ? undefined : pointOf(session, at) }),
  }));
}

function pointOf(session: Session, at: At) {
  switch (at.axis) {
    case 'position':
      return { case: 'position', value: at.position } as const;
    case 'effective':
      return { case: 'effectiveTime', value: at.when(session.io.now()) } as const;
    case 'recorded':
      return { case: 'recordedTime', value: at.when(session.io.now()) } as const;
  }
}

async function watchBalances(session: Session, accountIds: readonly string[]): Promise<undefined> {
  const { ledger: ledgerId } = session;
  const answers = follow(session, () =>
    session.stream('query', AccountQueryService.method.watchBalances, {
      ledgerId,
      accountIds: [...accountIds],
      consistency: session.consistency(),
    }),
  );
  async function* balances(): AsyncGenerator<Balance> {
    for await (const answer of answers) yield* answer.balances;
  }
  await printWatch(session.io, session.format, BALANCES, balances());
  return undefined;
}

const balance = verb({
  name: 'balance',
  summary: 'show the balances of several accounts, at one position',
  positionals: { accounts: idOf('account', many('their ids')) },
  flags: { ...WATCH_FLAGS, ...SHARED },
  examples: [
    ['quittance account balance alice shop', 'both'],
    ['quittance account balance alice shop -w', 'both, and each change'],
  ],
  run: async (session, { args: { accounts }, flags: { watch } }) => {
    if (watch === true) return watchBalances(session, accounts);
    const { ledger: ledgerId, io, format } = session;
    const answer = await session.read(AccountQueryService.method.batchGetBalances, (consistency) => ({
      ledgerId,
      accountIds: [...accounts],
      consistency,
    }));
    await printList(io, format, BALANCES, from(answer.balances));
    session.sayAsOf(answer.asOf);
    if (answer.unknownAccountIds.length === 0) return undefined;
    say(io, `not found: ${answer.unknownAccountIds.join(', ')}`);
    return NOT_FOUND;
  },
});

const diff = verb({
  name: 'diff',
  summary: 'show what changed in an account between two positions or times',
  positionals: { account: idOf('account', one('its id')) },
  flags: {
    from: value('when', 'a position, a time, or -2h', readAt),
    to: value('when', 'the later one (default now)', readAt),
    ...SHARED,
  },
  examples: [
    ['quittance account diff alice --from 18000 --to 18231', 'between two positions'],
    ['quittance account diff alice --from -1d', 'since yesterday at this hour'],
  ],
  run: async (session, { args: { account }, flags: { from: start, to } }) => {
    if (start === undefined) throw new UsageError('name where to begin: --from POSITION or --from TIME');
    const before = await balanceAt(session, account, start);
    const after = await balanceAt(session, account, to);
    const { exponent = 0, currency = '' } = after.balance ?? {};
    const rows = AMOUNTS.map((name) => {
      const [old, now] = [before.balance?.[name], after.balance?.[name]];
      return {
        name,
        currency,
        before: old === undefined ? '' : decimalOf(old, exponent),
        after: now === undefined ? '' : decimalOf(now, exponent),
        change: old === undefined || now === undefined ? '' : decimalOf(now - old, exponent),
      };
    });
    await printList(session.io, session.format, DIFFERENCES, from(rows));
    session.sayAsOf(after.asOf);
    return undefined;
  },
});

const AMOUNTS = ['posted', 'held', 'available', 'credits', 'debits'] as const;

const list = verb({
  name: 'list',
  summary: 'list accounts by id',
  positionals: {},
  flags: {
    prefix: text('text', 'ids that begin so'),
    currency: text('code', 'only of this currency'),
    type: choice('type', 'only of this type', wordsOf<AccountType>(AccountType)),
    status: choice('status', 'only of this status', wordsOf<AccountStatus>(AccountStatus)),
    owner: text('text', 'only of this owner'),
    minPosted: text('amount', 'only with at least so much posted, in the currency named'),
    maxPosted: text('amount', 'only with at most so much posted, in the currency named'),
    ...METADATA_FLAG,
    ...LIST_FLAGS,
    ...SHARED,
  },
  examples: [
    ['quittance account list', 'the first 50'],
    ['quittance account list --prefix customer: --status frozen', 'frozen customers'],
    ['quittance account list --currency EUR --max-posted=-0.01', 'overdrawn'],
    ['quittance account list --all -o csv > accounts.csv', 'all, for a spreadsheet'],
  ],
  run: async (session, { flags: { prefix = '', currency = '', type, status, owner = '', ...flags } }) => {
    const { ledger: ledgerId } = session;
    const posted = given({
      minPosted: await balanceOf(session, '--min-posted', flags.minPosted, currency),
      maxPosted: await balanceOf(session, '--max-posted', flags.maxPosted, currency),
    });
    await printPages(session, ACCOUNTS, async (page) => {
      const { accounts, nextPageToken, asOf } = await session.read(
        AccountQueryService.method.listAccounts,
        (consistency) => ({
          ledgerId,
          consistency,
          accountIdPrefix: prefix,
          currency,
          type: type ?? AccountType.UNSPECIFIED,
          status: status ?? AccountStatus.UNSPECIFIED,
          ownerReference: owner,
          metadata: [...(flags.metadata ?? [])],
          ...posted,
          ...page,
        }),
      );
      return { rows: accounts, nextPageToken, asOf };
    });
    return undefined;
  },
});

const statement = verb({
  name: 'statement',
  summary: 'list the entries of an account with the balance after each',
  positionals: { account: idOf('account', one('its id')) },
  flags: {
    from: value('time', 'entries from then on', readWhen),
    to: value('time', 'entries before then', readWhen),
    recorded: toggle('by the time of recording (default: by the effective time)'),
    position: value('position', 'as it was known at this position', position),
    ...LIST_FLAGS,
    ...SHARED,
  },
  examples: [
    ['quittance account statement alice --from 2026-11-01 --to 2026-12-01', 'of November'],
    ['quittance account statement alice --from -30d --all -o csv', 'of 30 days, for a spreadsheet'],
  ],
  run: async (session, { args: { account: accountId }, flags }) => {
    const { ledger: ledgerId } = session;
    const times = given({ startTime: timeOf(session, flags.from), endTime: timeOf(session, flags.to) });
    const timeBasis = flags.recorded === true ? TimeBasis.RECORDED_TIME : TimeBasis.EFFECTIVE_TIME;
    let isFirst = true;
    await printPages(session, STATEMENT_LINES, async (page) => {
      const answer = await session.read(TransactionQueryService.method.getStatement, (consistency) => ({
        ledgerId,
        accountId,
        consistency,
        timeBasis,
        position: flags.position ?? 0n,
        ...times,
        ...page,
      }));
      const { openingBalance: opening, closingBalance: closing } = answer;
      if (isFirst && opening !== undefined && closing !== undefined) {
        const [start, end] = [opening, closing].map(({ minorUnits, exponent = 0 }) =>
          decimalOf(minorUnits, exponent),
        );
        say(
          session.io,
          `opening balance ${start ?? ''} ${opening.currency}, closing balance ${end ?? ''} ${closing.currency}`,
        );
      }
      isFirst = false;
      return { rows: answer.lines, nextPageToken: answer.nextPageToken, asOf: answer.asOf };
    });
    return undefined;
  },
});

export const accountReads = [get, balance, diff, list, statement];
