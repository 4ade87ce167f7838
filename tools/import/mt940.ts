/**
 * Reads MT940, the statement of SWIFT, as banks write it: with or without envelopes, several statements in a file. The
 * libraries for it that npm has sum amounts as floating point, take 30 February for 1 March and tell no lines (ADR).
 */
import { textOf } from './encoding.js';
import { commandAmount, dayOf, effectiveDay, exponentOf, majorUnits } from './fields.js';
import type { FileRecord, Movement, StatementBalance } from './movement.js';
import { detailsOf } from './mt940-details.js';
import { type Field, fieldsOf } from './mt940-fields.js';
import { FieldFault, quoted } from './problems.js';
import {
  cutTo,
  ledgerAccount,
  keptCounterparty,
  MAX_TEXT,
  type ReadContext,
  rowCurrency,
} from './read-context.js';

/** The statement that is being read. */
interface Statement {
  readonly line: number;
  account: string | undefined;
  number: string;
  opening: StatementBalance | undefined;
  closed: boolean;
  /** The last movement, which a field 86 may still describe. */
  last: Movement | undefined;
}

/** Fields that change nothing here: related reference, date of the statement, available balances, sums. */
const PASSED_OVER: ReadonlySet<string> = new Set(['21', '13', '13D', '64', '65', '34F', '90C', '90D', 'NS']);

/** The movements and balances of a file in order; what cannot be read is a problem with its line. */
export async function* readMt940(context: ReadContext): AsyncGenerator<FileRecord> {
  const { problems } = context;
  let statement: Statement | undefined;
  for await (const field of fieldsOf(textOf(context.source, context.encoding), problems)) {
    try {
      if (field.tag === '20') {
        yield* endOf(context, statement);
        statement = {
          line: field.line,
          account: undefined,
          number: '',
          opening: undefined,
          closed: false,
          last: undefined,
        };
        continue;
      }
      if (statement === undefined) throw new FieldFault(`:${field.tag}: stands before the first :20:`);
      yield* step(context, statement, field);
    } catch (error) {
      if (!(error instanceof FieldFault)) throw error;
      problems.add(field.line, error.message);
      yield { kind: 'gap' };
    }
  }
  yield* endOf(context, statement);
}

function* endOf({ problems }: ReadContext, statement: Statement | undefined): Generator<FileRecord> {
  if (statement === undefined) return;
  yield* flush(statement);
  if (statement.closed) return;
  problems.add(
    statement.line,
    'the statement that begins here has no closing balance (:62F:); the file may be cut off',
  );
  yield { kind: 'gap' };
}

function* flush(statement: Statement): Generator<FileRecord> {
  if (statement.last !== undefined) yield { kind: 'movement', movement: statement.last };
  statement.last = undefined;
}

function* step(context: ReadContext, statement: Statement, field: Field): Generator<FileRecord> {
  const { settings } = context;
  switch (field.tag) {
    case '25':
    case '25P':
      statement.account = ledgerAccount(settings, accountText(settings.accounts, field.text), ':25:');
      return;
    case '28':
    case '28C':
      statement.number = field.text.trim();
      return;
    case '60F':
    case '60M':
      statement.opening = balanceOf(context, statement, field);
      if (settings.balances) yield { kind: 'opening', opening: statement.opening };
      return;
    case '61':
      yield* flush(statement);
      statement.last = movementOf(context, statement, field);
      return;
    case '86':
      // After the closing balance it describes the statement.
      if (statement.last !== undefined) statement.last = described(context, statement.last, field);
      return;
    case '62F':
    case '62M':
      yield* flush(statement);
      statement.closed = true;
      if (settings.balances) yield { kind: 'closing', closing: balanceOf(context, statement, field) };
      return;
    default:
      if (!PASSED_OVER.has(field.tag)) throw new FieldFault(`:${field.tag}: is no field of MT940`);
  }
}

/** German banks write BANK/ACCOUNT. An account id has no slash; a colon stands for it. */
function accountText(accounts: ReadonlyMap<string, string>, text: string): string {
  const plain = text.trim();
  return accounts.has(plain) ? plain : plain.replaceAll(' ', '').replaceAll('/', ':');
}

/** `C240131EUR1234,56` */
function balanceOf(context: ReadContext, statement: Statement, { tag, text, line }: Field): StatementBalance {
  const parts = /^(?<sign>[CD])(?<day>\d{6})(?<currency>[A-Z]{3})(?<amount>[\d,]{1,15})$/.exec(
    text.trim(),
  )?.groups;
  if (parts === undefined)
    throw new FieldFault(`:${tag}: ${quoted(text)} is no balance such as C240131EUR1234,56`);
  const { sign = '', day = '', currency = '', amount = '' } = parts;
  if (statement.account === undefined) throw new FieldFault(`:${tag}: stands before the account (:25:)`);
  const unit = rowCurrency(context.settings, currency);
  const units = swiftAmount(amount, `:${tag}:`, exponentOf(unit));
  return {
    line,
    accountId: statement.account,
    currency: unit,
    balance: sign === 'D' ? -units : units,
    day: effectiveDay(swiftDay(day, `:${tag}:`), context.now, `:${tag}:`),
    statement: statement.number,
  };
}

/** Value date, entry date, sign, amount, type, the customer's reference, and after `//` the bank's. */
const MOVEMENT =
  /^(?<value>\d{6})(?<entry>\d{4})?(?<sign>RC|RD|C|D)(?<funds>[A-Z])?(?<amount>\d[\d,]{0,14})(?<type>[NFS][A-Z0-9]{3})(?<customer>.*?)(?:\/\/(?<bank>.*))?$/;

function movementOf(context: ReadContext, statement: Statement, { text, lines, line }: Field): Movement {
  const { opening } = statement;
  const first = lines[0] ?? text;
  const parts = MOVEMENT.exec(first.trim())?.groups;
  if (parts === undefined)
    throw new FieldFault(`:61: ${quoted(first)} is no movement such as 2401310131D12,50NTRFNONREF//B123`);
  if (opening === undefined || statement.closed)
    throw new FieldFault(':61: stands outside of an opening (:60F:) and a closing balance (:62F:)');
  const { value = '', entry, sign = '', amount = '', type = '', customer = '', bank = '' } = parts;
  const exponent = exponentOf(opening.currency);
  const units = commandAmount(swiftAmount(amount, ':61:', exponent), 'the amount');
  const valueDay = swiftDay(value, ':61:');
  const bookedOn = effectiveDay(
    entry === undefined ? valueDay : entryDay(entry, valueDay),
    context.now,
    ':61:',
  );
  const references = [customer.trim(), bank.trim()].map((each) =>
    /^(NONREF|NOREF)?$/.test(each) ? '' : each,
  );
  return {
    line,
    movementId: '',
    identity: ['mt940', type, ...references, lines.slice(1).join('\n')],
    reference: cutTo(references[1] === '' ? (references[0] ?? '') : (references[1] ?? ''), 128),
    accountId: opening.accountId,
    currency: opening.currency,
    bookedOn,
    kind: type,
    purpose: '',
    // RC takes a credit back, RD a debit.
    amount: sign === 'C' || sign === 'RD' ? units : -units,
    balanceBefore: undefined,
    balanceAfter: undefined,
    counterparty: '',
    description: '',
  };
}

function described({ settings }: ReadContext, movement: Movement, { lines }: Field): Movement {
  const { counterparty, description } = detailsOf(lines);
  return {
    ...movement,
    identity: [...movement.identity, lines.join('\n')],
    counterparty: keptCounterparty(settings, cutTo(counterparty, MAX_TEXT)),
    description: cutTo(description, MAX_TEXT),
  };
}

function swiftAmount(text: string, name: string, exponent: number): bigint {
  return majorUnits(text, name, exponent, { decimal: ',', thousands: '', flags: '' });
}

/** YYMMDD; SWIFT's years from 80 on are of the last century. */
function swiftDay(text: string, name: string): bigint {
  const year = Number(text.slice(0, 2));
  const day = dayOf(String(year < 80 ? 2000 + year : 1900 + year), text.slice(2, 4), text.slice(4, 6));
  if (day === undefined) throw new FieldFault(`${name} ${quoted(text)} is no day (YYMMDD)`);
  return day;
}

/** MMDD in the year that brings it nearest to the value date. */
function entryDay(text: string, valueDay: bigint): bigint {
  const year = new Date(Number(valueDay / 1000n)).getUTCFullYear();
  const distance = (day: bigint): bigint => (day > valueDay ? day - valueDay : valueDay - day);
  const [nearest] = [year, year - 1, year + 1]
    .map((each) => dayOf(String(each), text.slice(0, 2), text.slice(2, 4)))
    .filter((day) => day !== undefined)
    .sort((a, b) => (distance(a) < distance(b) ? -1 : 1));
  if (nearest === undefined) throw new FieldFault(`:61: the entry date ${quoted(text)} is no day (MMDD)`);
  return nearest;
}
