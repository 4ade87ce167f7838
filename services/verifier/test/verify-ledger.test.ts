import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { create } from '@bufbuild/protobuf';
import { Code } from '@connectrpc/connect';
import { ErrorReason } from '../../../gen/quittance/common/v1/error_reason_pb.js';
import { TransactionKind } from '../../../gen/quittance/common/v1/transaction_pb.js';
import { VerifyLedgerRequestSchema, VerifySubject } from '../../../gen/quittance/ops/v1/ledger_service_pb.js';
import { fail } from '../../../lib/rpc/errors.js';
import { GenerationGoneError } from '../../../lib/views/view-errors.js';
import { type RowPage, type View, ViewMissingError } from '../../../lib/views/view.js';
import { PackBuilder, PackCursor } from '../../../lib/views/reports/postgres/pack.js';
import { testId } from '../../../test/ledger-fixture.js';
import { verifyLedger } from '../rpc/verify-ledger.js';
import { Books, callFor, named } from './books.js';
import { everyCommand } from './every-command.js';
import { LEDGERS, RandomCommands } from './random-commands.js';

let books: Books;
let commands: RandomCommands;
beforeAll(async () => {
  commands = new RandomCommands(1).grow(400);
  everyCommand(commands.fixture);
  // A row per event, so that one event can be taken out.
  books = await Books.open(commands.fixture, 1);
  await books.settle();
});
afterAll(async () => {
  await books.close();
});

/** Does something to the database, verifies `every`, and undoes it. */
async function tampered(statement: string, undo: string) {
  const { rowCount } = await books.pool.query(statement);
  expect(rowCount).toBeGreaterThan(0);
  try {
    return await books.verify('every');
  } finally {
    await books.pool.query(undo);
  }
}

/** Keeps a copy of a table, tampers with it, verifies, and puts the copy back. */
async function tamperedTable(table: string, statement: string) {
  await books.pool.query(`create table kept as table ${table}`);
  const undo = `begin; delete from ${table}; insert into ${table} overriding system value select * from kept; drop table kept; commit`;
  return tampered(statement, undo);
}

/** The position of the first event of `every` that satisfies a condition. */
function positionOf(kind: TransactionKind, minimum = 0n): bigint {
  const found = books.fixture.events.find(
    ({ event: { ledgerId, payload }, position }) =>
      ledgerId === 'every' &&
      position >= minimum &&
      (payload.case === 'transactionPosted'
        ? payload.value.kind === kind
        : payload.case === 'paymentAuthorized' && kind === TransactionKind.AUTHORIZATION),
  );
  if (found === undefined) throw new Error('no such event');
  return found.position;
}

describe('a clean ledger', () => {
  test('that every kind of command has touched verifies', async () => {
    const report = await books.verify('every');
    expect(named(report)).toEqual([]);
    const last = books.fixture.events.at(-1);
    expect(report.verdict).toMatchObject({ ok: true, position: last?.position });
    expect(Buffer.from(report.verdict?.hash ?? [])).toEqual(Buffer.from(last?.hash ?? []));
    const outcomes = report.verdict?.outcomes.map(({ subject, findings }) => [
      VerifySubject[subject],
      findings,
    ]);
    const names = ['LOG', 'STATE_TABLES', 'BALANCES', 'HISTORY', 'REPORTS'];
    expect(outcomes).toEqual(names.map((name) => [name, 0n]));
    for (const { subject, compared } of report.verdict?.outcomes ?? []) {
      expect([VerifySubject[subject], compared > 5n]).toEqual([VerifySubject[subject], true]);
      expect(report.progress.some((progress) => progress.subject === subject)).toBe(true);
    }
  });

  test('verifies the same when memory holds but few accounts, chains and rows', async () => {
    const limits = { mostAccounts: 3, mostChains: 2, mostRows: 1 };
    const report = await books.verify('main', books.deps(limits));
    expect(named(report)).toEqual([]);
    expect(report.verdict).toMatchObject({ ok: true });
  });

  test('is read one subject at a time, so that memory holds pages of one alone', async () => {
    const { state, views, ...deps } = books.deps();
    const underWay = new Map<string, number>();
    const together = new Set<string>();
    const noted = async <T>(subject: string, reading: Promise<T>): Promise<T> => {
      underWay.set(subject, (underWay.get(subject) ?? 0) + 1);
      together.add([...underWay.keys()].sort().join(' '));
      const read = await reading;
      const left = (underWay.get(subject) ?? 0) - 1;
      if (left === 0) underWay.delete(subject);
      else underWay.set(subject, left);
      return read;
    };
    const notedView = (view: View): View =>
      new Proxy(view, {
        get: (target, name): unknown => {
          if (name === 'rows') return (page: RowPage) => noted(view.id, target.rows(page));
          if (name === 'scan' && target.scan !== undefined)
            return (...given: Parameters<typeof target.scan>) =>
              noted(view.id, target.scan?.(...given) ?? Promise.resolve());
          const member: unknown = Reflect.get(target, name);
          if (typeof member !== 'function') return member;
          return (...given: unknown[]): unknown => Reflect.apply(member, target, given);
        },
      });
    const report = await books.verify('every', {
      ...deps,
      state: {
        ...state,
        accountPage: (...page) => noted('state', state.accountPage(...page)),
        transactionPage: (...page) => noted('state', state.transactionPage(...page)),
      },
      views: {
        balances: async () => notedView(await views.balances()),
        history: async () => notedView(await views.history()),
        reports: async () => notedView(await views.reports()),
      },
    });
    expect(named(report)).toEqual([]);
    expect([...together]).toEqual(['state', 'balances', 'history', 'reports']);
  });

  test('that does not exist is not found', async () => {
    await expect(books.verify('nowhere')).rejects.toMatchObject({
      reason: ErrorReason.LEDGER_NOT_FOUND,
      code: Code.NotFound,
    });
  });
});

describe('tampering with the log is found and named:', () => {
  /** The row of the log that holds an event alone, but for the event of the test about rows of several. */
  const row = (position: bigint) => `first <= ${position} and last >= ${position}`;
  /** Changes the last byte, which is of the payload: an amount. */
  const changed = `set_byte(events, length(events) - 1, (get_byte(events, length(events) - 1) + 1) % 128)`;

  test('changed bytes of an event', async () => {
    const position = positionOf(TransactionKind.DEPOSIT);
    const statement = `update log.flushes set events = ${changed} where ${row(position)}`;
    const report = await tamperedTable('log.flushes', statement);
    expect(named(report)).toContain(`LOG ${position} hash`);
    expect(report.verdict?.ok).toBe(false);
  });

  test('bytes that are no event any more', async () => {
    const position = positionOf(TransactionKind.DEPOSIT);
    const report = await tamperedTable(
      'log.flushes',
      `update log.flushes set events = '\\xff', ends = '{1}' where ${row(position)}`,
    );
    expect(named(report)).toEqual(expect.arrayContaining([`LOG ${position} hash`, `LOG ${position} event`]));
  });

  test('a removed event', async () => {
    const position = positionOf(TransactionKind.PAYMENT);
    const report = await tamperedTable('log.flushes', `delete from log.flushes where ${row(position)}`);
    expect(named(report)).toContain(`LOG ${position} position`);
    // The view has it still, as a later event left it.
    const key = `transaction every ${String(position).padStart(19, '0')}`;
    expect(report.findings).toContainEqual(
      expect.objectContaining({ subject: VerifySubject.HISTORY, entity: key, expected: 'no row' }),
    );
  });

  test('an event and its hash replaced together', async () => {
    const position = positionOf(TransactionKind.DEPOSIT);
    const statement = `update log.flushes set events = ${changed}, hash = sha256(${changed}) where ${row(position)}`;
    const report = await tamperedTable('log.flushes', statement);
    expect(named(report)).toContain(`LOG ${position + 1n} previous_hash`);
  });

  test.each([
    ['hash', `hash = sha256(hash)`],
    ['column epoch', `epoch = 7`],
    ['column recorded_time', `recorded_time = recorded_time + 1`],
    ['ends', `ends = array[ends[1] - 1]`],
    ['ends', `last = last + 1`],
  ])('a changed %s', async (entity, change) => {
    const position = positionOf(TransactionKind.DEPOSIT);
    const statement = `update log.flushes set ${change} where ${row(position)}`;
    const report = await tamperedTable('log.flushes', statement);
    expect(named(report)).toContain(`LOG ${position} ${entity}`);
  });

  test('a row that holds an event twice', async () => {
    const position = positionOf(TransactionKind.DEPOSIT);
    const statement = `update log.flushes set events = events || events, ends = array[ends[1], 2 * ends[1]], last = last + 1 where ${row(position)}`;
    const report = await tamperedTable('log.flushes', statement);
    expect(named(report)).toEqual(
      expect.arrayContaining([`LOG ${position + 1n} event.position`, `LOG ${position + 1n} first`]),
    );
  });

  test('a request id that was forgotten', async () => {
    const position = positionOf(TransactionKind.DEPOSIT);
    const statement = `delete from log.request_keys where position = ${position}`;
    const report = await tamperedTable('log.request_keys', statement);
    expect(named(report)).toEqual([`LOG ${position} request_keys`]);
  });

  test('a request id that leads to another event', async () => {
    const position = positionOf(TransactionKind.DEPOSIT);
    const statement = `update log.request_keys set position = position - 1 where position = ${position}`;
    const report = await tamperedTable('log.request_keys', statement);
    expect(named(report)).toContain(`LOG ${position} request_keys`);
  });

  test.each([
    ['missing', `delete from log.ledger_flushes`],
    ['changed', `update log.ledger_flushes set indexes = '{1}'`],
    ["another ledger's", `update log.ledger_flushes set ledger_id = 'other'`],
  ])('a %s row of the events of a ledger', async (_, change) => {
    const position = positionOf(TransactionKind.DEPOSIT);
    const report = await tamperedTable('log.ledger_flushes', `${change} where first = ${position}`);
    expect(named(report)).toEqual([`LOG ${position} ledger_flushes every`]);
  });

  test.each([
    ['missing', `delete from log.streams`],
    ['changed', `update log.streams set stream_id = 'other'`],
  ])('a %s row of the events of a stream', async (_, change) => {
    const position = positionOf(TransactionKind.CAPTURE);
    const report = await tamperedTable('log.streams', `${change} where position = ${position}`);
    expect(named(report)).toEqual([`LOG ${position} streams`]);
  });

  test('an end that was cut off', async () => {
    const last = books.fixture.events.at(-1)?.position ?? 0n;
    const report = await tamperedTable('log.flushes', `delete from log.flushes where last = ${last}`);
    expect(named(report)).toContain(`BALANCES ${last} checkpoint`);
    expect(named(report)).toContain(`STATE_TABLES ${last} checkpoint`);
  });
});

describe('in a row of many events', () => {
  let rows: Books;
  beforeAll(async () => {
    const fixture = new RandomCommands(2).grow(60).fixture;
    everyCommand(fixture);
    rows = await Books.open(fixture, 50);
    await rows.settle();
  });
  afterAll(async () => {
    await rows.close();
  });

  test('nothing is found where nothing is wrong', async () => {
    expect(named(await rows.verify('every'))).toEqual([]);
  });

  test('a changed byte is found and named by the event that it is of', async () => {
    // The second row begins at position 51; its tenth event is neither its first nor its last.
    const position = 60n;
    const at = '(select ends[10] - 1 from log.flushes where first = 51)';
    await rows.pool.query(
      `update log.flushes set events = set_byte(events, ${at}, (get_byte(events, ${at}) + 1) % 128) where first = 51`,
    );
    const report = await rows.verify('every');
    expect(named(report)).toContain(`LOG ${position} hash`);
    expect(named(report).filter((name) => /previous_hash|LOG \d+ hash/.test(name))).toEqual([
      `LOG ${position} hash`,
    ]);
  });
});

describe('tampering with state tables and views is found and named:', () => {
  test.each([
    ['a balance off by one', 'balances_1.accounts', `credits = credits + 1`, `account_id = 'alice'`],
    ['an account without its balance', 'balances_1.accounts', '', `account_id = 'bob'`],
  ])('%s', async (_name, table, change, where) => {
    const report = await tamperedTable(table, changing(table, change, where));
    const id = where.slice(where.indexOf("'") + 1, -1);
    expect(named(report)).toEqual([expect.stringMatching(new RegExp(`^BALANCES \\d+ every ${id}$`))]);
    expect(report.verdict).toMatchObject({ ok: false });
  });

  test('a balance row that claims to be of an event that never was', async () => {
    const report = await tamperedTable(
      'balances_1.accounts',
      changing('balances_1.accounts', 'position = 1000000', `account_id = 'alice'`),
    );
    expect(named(report)).toContain('BALANCES 1000000 every alice');
  });

  test('an account that nobody opened', async () => {
    const report = await tamperedTable(
      'balances_1.accounts',
      `insert into balances_1.accounts (ledger_id, account_id, type, currency, status, freeze_scope, overdraft_limit, credits, debits, held, version, position) select ledger_id, 'ghost', type, currency, status, freeze_scope, overdraft_limit, credits, debits, held, version, position from balances_1.accounts where ledger_id = 'every' and account_id = 'alice'`,
    );
    expect(named(report)).toEqual([expect.stringMatching(/^BALANCES \d+ every ghost$/)]);
    expect(report.findings[0]).toMatchObject({ expected: 'no row' });
  });

  test('a missing transaction', async () => {
    const position = positionOf(TransactionKind.AUTHORIZATION);
    const report = await tamperedTable(
      'history_1.transactions',
      `delete from history_1.transactions where position = ${position}`,
    );
    const key = `transaction every ${String(position).padStart(19, '0')}`;
    expect(named(report)).toEqual([expect.stringMatching(new RegExp(`^HISTORY \\d+ ${key}$`))]);
    expect(report.findings[0]).toMatchObject({ actual: 'no row' });
  });

  test('a missing transaction with entries, which are not found without it', async () => {
    const position = positionOf(TransactionKind.DEPOSIT);
    const report = await tamperedTable(
      'history_1.transactions',
      `delete from history_1.transactions where position = ${position}`,
    );
    const digits = String(position).padStart(19, '0');
    expect(named(report)).toEqual([
      `HISTORY ${position} entry every ${digits} 000`,
      `HISTORY ${position} entry every ${digits} 001`,
      expect.stringMatching(new RegExp(`^HISTORY \\d+ transaction every ${digits}$`)),
    ]);
  });

  test('a changed entry', async () => {
    const position = positionOf(TransactionKind.PAYMENT);
    const where = `position = ${position} and entry = 1`;
    const report = await tamperedTable(
      'history_1.lines',
      `update history_1.lines set amount = amount + 1 where ${where}`,
    );
    expect(named(report)).toEqual([
      `HISTORY ${position} entry every ${String(position).padStart(19, '0')} 001`,
    ]);
  });

  test('a past balance off by one', async () => {
    const position = positionOf(TransactionKind.PAYMENT);
    const report = await tamperedTable(
      'history_1.lines',
      `update history_1.lines set held = coalesce(held, 0) + 1 where position = ${position} and account = ${alice}`,
    );
    const key = `version every alice ${String(position).padStart(19, '0')}`;
    expect(named(report)).toEqual([`HISTORY ${position} ${key}`]);
  });

  test('a past posted balance off by one, which the entry beside it says too', async () => {
    const position = positionOf(TransactionKind.PAYMENT);
    const report = await tamperedTable(
      'history_1.lines',
      `update history_1.lines set debits = debits + 1 where position = ${position} and account = ${alice}
      and version = (select max(version) from history_1.lines where position = ${position} and account = ${alice})`,
    );
    const digits = String(position).padStart(19, '0');
    expect(named(report)).toEqual([
      expect.stringMatching(new RegExp(`^HISTORY ${position} entry every ${digits} \\d{3}$`)),
      `HISTORY ${position} version every alice ${digits}`,
    ]);
  });

  test('a report rollup off by one', async () => {
    const { rows } = await books.pool.query<{ position: bigint }>(
      `select position from reports_1.volume_rollup where ledger = (select ledger from reports_1.ledgers where ledger_id = 'every') limit 1`,
    );
    const position = rows[0]?.position ?? -1n;
    const report = await tamperedTable(
      'reports_1.volume_rollup',
      `update reports_1.volume_rollup set principal = principal + 1 where position = ${position} and ledger = (select ledger from reports_1.ledgers where ledger_id = 'every')`,
    );
    expect(named(report).length).toBeGreaterThan(0);
    for (const name of named(report)) expect(name).toMatch(/^REPORTS \d+ every sum-volume /);
  });

  test('a posting that reports do not know', async () => {
    const position = positionOf(TransactionKind.DEPOSIT);
    const { table, statement } = await withoutRecord(position);
    const report = await tamperedTable(table, statement);
    const digits = String(position).padStart(19, '0');
    expect(named(report)).toContain(`REPORTS ${position} every entry ${digits} 000`);
  });

  test('an account of the state tables off by one', async () => {
    const report = await tamperedTable(
      'state.accounts',
      changing('state.accounts', 'held = held + 1', `account_id = 'alice'`),
    );
    expect(named(report)).toEqual(['STATE_TABLES 0 account alice']);
  });

  test('limits, and what is used of them, that a store has lost', async () => {
    const lose = (table: string) =>
      tamperedTable(table, changing(table, 'limits = null', `account_id = 'card'`));
    expect(named(await lose('state.accounts'))).toEqual(['STATE_TABLES 0 account card']);
    expect(named(await lose('balances_1.accounts'))).toEqual([
      expect.stringMatching(/^BALANCES \d+ every card$/),
    ]);
    const last = `(select max(l.position) from history_1.lines l join history_1.accounts a on a.opened_position = l.account
      where a.ledger_id = 'every' and a.account_id = 'card')`;
    const lines = `update history_1.lines set limits = null where position = ${last} and limits is not null`;
    const report = await tamperedTable('history_1.lines', lines);
    expect(named(report)).toEqual([expect.stringMatching(/^HISTORY \d+ version every card \d+$/)]);
  });

  test('a payment that the state tables lack', async () => {
    const { rows } = await books.pool.query<{ transaction_id: string }>(
      `select transaction_id::text from state.transactions where ledger_id = 'every' limit 1`,
    );
    const id = rows[0]?.transaction_id ?? '';
    const report = await tamperedTable(
      'state.transactions',
      changing('state.transactions', '', `transaction_id = '${id}'`),
    );
    expect(named(report)).toEqual([`STATE_TABLES 0 transaction ${id}`]);
  });

  test('at most 1,000 are sent; the verdict counts all', async () => {
    await books.pool.query('create table kept as table history_1.lines');
    await books.pool.query('update history_1.lines set held = coalesce(held, 0) + 1');
    const expected = await books.pool.query<{ count: bigint }>(
      `select count(distinct (l.account, l.position)) from history_1.lines l
      join history_1.accounts a on a.opened_position = l.account where a.ledger_id = 'main'`,
    );
    const report = await books.verify('main');
    await books.pool.query(
      'begin; delete from history_1.lines; insert into history_1.lines select * from kept; drop table kept; commit',
    );
    const count = expected.rows[0]?.count ?? 0n;
    const history = report.verdict?.outcomes.find(({ subject }) => subject === VerifySubject.HISTORY);
    expect(history?.findings).toBe(count);
    expect(report.findings.length).toBe(Math.min(1_000, Number(count)));
  });

  test('another ledger is not touched by it', async () => {
    await books.pool.query('create table kept as table balances_1.accounts');
    await books.pool.query(`update balances_1.accounts set held = held + 1 where ledger_id = 'every'`);
    const report = await books.verify('main');
    await books.pool.query(
      'begin; delete from balances_1.accounts; insert into balances_1.accounts select * from kept; drop table kept; commit',
    );
    expect(named(report)).toEqual([]);
  });
});

/** The statement that takes the record of a position out of the pack of the reports view that holds it. */
async function withoutRecord(position: bigint): Promise<{ table: string; statement: string }> {
  for (const table of ['reports_1.packs', 'reports_1.tail']) {
    const { rows } = await books.pool.query<{ through: bigint; rows: Buffer }>(
      `select through, rows from ${table} where through >= ${position} order by through`,
    );
    for (const { through, rows: pack } of rows) {
      const cursor = new PackCursor(pack);
      const rest = new PackBuilder(cursor.segment);
      let isFound = false;
      while (cursor.next()) {
        if (cursor.position === Number(position)) isFound = true;
        else rest.copy(cursor);
      }
      const bytes = `'\\x${rest.bytes().toString('hex')}'`;
      if (isFound)
        return { table, statement: `update ${table} set rows = ${bytes} where through = ${through}` };
    }
  }
  throw new Error('no pack holds the position');
}

/** The key of the account `alice` of `every` in the tables of the history view. */
const alice = `(select opened_position from history_1.accounts where ledger_id = 'every' and account_id = 'alice')`;

/** An update or, without a change, a delete of rows of `every`. */
function changing(table: string, change: string, where: string): string {
  const condition = `where ledger_id = 'every' and ${where}`;
  return change === '' ? `delete from ${table} ${condition}` : `update ${table} set ${change} ${condition}`;
}

describe('while the ledger moves on', () => {
  test('waits for a view that is behind', async () => {
    deposit();
    await books.store();
    await books.writeState();
    await books.apply('balances');
    await books.apply('reports');
    const verifying = books.verify('every');
    await books.apply('history');
    expect(named(await verifying)).toEqual([]);
  });

  test('says which view did not get there in time', async () => {
    deposit();
    await books.store();
    await expect(books.verify('every', books.deps(), callFor(150))).rejects.toMatchObject({
      reason: ErrorReason.READ_MODEL_BEHIND,
      details: { metadata: { required: String(books.fixture.events.length - 1) } },
    });
    await books.settle();
  });

  test.each([
    ['that its store has lost', () => new ViewMissingError('balances')],
    ['whose generation is replaced', () => new GenerationGoneError('balances', 1, undefined)],
  ])('waits for a view %s, until it is there again', async (_name, failure) => {
    const deps = books.deps();
    let asked = 0;
    const balances = () => {
      asked += 1;
      return asked < 3 ? Promise.reject(failure()) : deps.views.balances();
    };
    const report = await books.verify('every', { ...deps, views: { ...deps.views, balances } });
    expect([asked, named(report), report.verdict?.ok]).toEqual([3, [], true]);
  });

  test('says which view is not there, if it does not come back in time', async () => {
    const deps = books.deps();
    const balances = () => Promise.reject(new ViewMissingError('balances'));
    const verifying = books.verify('every', { ...deps, views: { ...deps.views, balances } }, callFor(150));
    await expect(verifying).rejects.toMatchObject({
      view: 'balances',
      message: 'the balances view does not exist yet; start the projector',
    });
  });

  test('state tables that stand still are compared where they stand', async () => {
    commands.grow(40);
    deposit();
    await books.store();
    for (const view of ['balances', 'history', 'reports'] as const) await books.apply(view);
    expect(named(await books.verify('every'))).toEqual([]);
    expect(named(await books.verify('main'))).toEqual([]);
    await books.writeState();
  });

  test('events that arrive meanwhile cause no false alarm', async () => {
    for (let round = 0; round < 6; round++) {
      const deps = books.deps();
      let moved = 0;
      const report = await books.verify('main', {
        ...deps,
        stored: deps.stored,
        state: {
          ...deps.state,
          accountPage: async (...page) => {
            // The end of the log is fixed by now: all that follows reads what has moved on.
            if (moved++ === 0 && round % 2 === 0) await moveOn();
            return deps.state.accountPage(...page);
          },
          transactionPage: async (...page) => {
            if (moved++ === 1 && round % 2 === 1) await moveOn();
            return deps.state.transactionPage(...page);
          },
        },
      });
      expect(named(report)).toEqual([]);
      expect(report.verdict?.position).toBeLessThan(BigInt(books.fixture.events.length - 1));
    }
  });

  test('a row that an event after the end has shaped wrongly is found all the same', async () => {
    const deps = books.deps();
    const report = await books.verify('every', {
      ...deps,
      state: {
        ...deps.state,
        // The end is fixed by now, and no row is read yet.
        checkpoint: async () => {
          deposit();
          await books.settle();
          await books.pool.query(
            `update balances_1.accounts set credits = credits + 1 where ledger_id = 'every' and account_id = 'alice'`,
          );
          return deps.state.checkpoint();
        },
      },
    });
    await books.pool.query(
      `update balances_1.accounts set credits = credits - 1 where ledger_id = 'every' and account_id = 'alice'`,
    );
    const last = books.fixture.events.length - 1;
    expect(named(report)).toEqual([`BALANCES ${last} every alice`]);
  });

  test('ends when the caller leaves', async () => {
    const caller = new AbortController();
    const reason = fail(ErrorReason.CANCELLED, 'the caller left');
    deposit();
    await books.store();
    const verifying = books.verify('every', books.deps(), callFor(20_000, caller.signal));
    caller.abort(reason);
    await expect(verifying).rejects.toBe(reason);
    await books.settle();
  });

  test('reads no more once the caller stopped reading', async () => {
    const deps = books.deps();
    let pages = 0;
    const stored = {
      ...deps.stored,
      page: (page: Parameters<typeof deps.stored.page>[0]) => {
        pages++;
        return deps.stored.page(page);
      },
    };
    const request = create(VerifyLedgerRequestSchema, { ledgerId: 'main' });
    for await (const message of verifyLedger({ ...deps, stored })(request, callFor(10_000))) {
      expect(message).toBeDefined();
      break;
    }
    const before = pages;
    await new Promise((resolve) => setImmediate(resolve));
    expect(pages).toBe(before);
  });
});

test.each([2, 3, 4, 5, 6, 7])('random commands verify clean (seed %i)', async (seed) => {
  const random = await Books.open(new RandomCommands(seed).grow(500).fixture);
  try {
    await random.settle();
    for (const ledgerId of LEDGERS) {
      expect(named(await random.verify(ledgerId))).toEqual([]);
    }
  } finally {
    await random.close();
  }
});

let next = 900_000;
function deposit(): void {
  const value = { ledgerId: 'every', requestId: testId(next++), accountId: 'alice' };
  books.fixture.run({
    case: 'deposit',
    value: { ...value, amount: { currency: 'EUR', minorUnits: 7n } },
  });
}

async function moveOn(): Promise<void> {
  commands.grow(30);
  await books.settle();
}
