/** Reads CAMT.053, the statement of ISO 20022, versions 1 to 13, as banks write it. */
import { type CamtElement, camtElements, type Values } from './camt053-elements.js';
import { textOf } from './encoding.js';
import { commandAmount, dayOf, effectiveDay, exponentOf, majorUnits } from './fields.js';
import type { FileRecord, Movement, StatementBalance } from './movement.js';
import { FieldFault, quoted, readOrNote } from './problems.js';
import {
  cutTo,
  keptCounterparty,
  ledgerAccount,
  MAX_REFERENCE,
  MAX_TEXT,
  type ReadContext,
  rowCurrency,
} from './read-context.js';

/** The balances of a statement, as far as they are read. */
interface Balances {
  readonly line: number;
  readonly byCode: Map<string, Values>;
  /** Interim balances, in order: a statement of several pages opens and closes with them. */
  readonly interim: Values[];
  opened: boolean;
}

/** The movements and balances of a file in order; what cannot be read is a problem with its line. */
export async function* readCamt053(context: ReadContext): AsyncGenerator<FileRecord> {
  let balances: Balances | undefined;
  for await (const element of camtElements(textOf(context.source, context.encoding))) {
    balances ??= { line: element.statement.line, byCode: new Map(), interim: [], opened: false };
    try {
      yield* step(context, balances, element);
    } catch (error) {
      if (!(error instanceof FieldFault)) throw error;
      context.problems.add(element.kind === 'end' ? element.line : element.values.line, error.message);
      yield { kind: 'gap' };
    }
    if (element.kind === 'end') balances = undefined;
  }
}

function* step(context: ReadContext, balances: Balances, element: CamtElement): Generator<FileRecord> {
  if (element.kind === 'balance') {
    const code = element.values.text('Tp/CdOrPrtry/Cd', 'Tp/CdOrPrtry/Prtry');
    if (code === 'ITBD') balances.interim.push(element.values);
    else balances.byCode.set(code, element.values);
    return;
  }
  const { statement } = element;
  if (!balances.opened) {
    balances.opened = true;
    const opening = printed(context, statement, openingOf(balances));
    if (opening !== undefined)
      yield opening === 'unreadable' ? { kind: 'gap' } : { kind: 'opening', opening };
  }
  if (element.kind === 'entry') {
    const movement = movementOf(context, statement, element.values);
    if (movement !== undefined) yield { kind: 'movement', movement };
    return;
  }
  const closing = printed(context, statement, closingOf(balances));
  if (closing !== undefined) yield closing === 'unreadable' ? { kind: 'gap' } : { kind: 'closing', closing };
}

/** A balance; undefined where there is none to be read. What is wrong with it is a problem in its own line. */
function printed(
  context: ReadContext,
  statement: Values,
  values: Values | undefined,
): StatementBalance | 'unreadable' | undefined {
  if (values === undefined || !context.settings.balances) return undefined;
  return readOrNote<StatementBalance | 'unreadable'>(
    context.problems,
    values.line,
    () => balanceOf(context, statement, values),
    'unreadable',
  );
}

/** OPBD, else what the statement before closed with (PRCD), else an interim balance where it does not close. */
function openingOf({ byCode, interim }: Balances): Values | undefined {
  const booked = byCode.get('OPBD') ?? byCode.get('PRCD');
  if (booked !== undefined) return booked;
  return byCode.has('CLBD') || interim.length > 1 ? interim[0] : undefined;
}

function closingOf({ byCode, interim }: Balances): Values | undefined {
  const booked = byCode.get('CLBD');
  if (booked !== undefined) return booked;
  return byCode.has('OPBD') || byCode.has('PRCD') || interim.length > 1 ? interim.at(-1) : undefined;
}

function balanceOf(context: ReadContext, statement: Values, values: Values): StatementBalance {
  const currency = rowCurrency(context.settings, values.required('Amt@Ccy'));
  const units = decimal(values.required('Amt'), 'the balance', exponentOf(currency));
  const name = 'the day of the balance';
  const dayText = values.required('Dt/Dt', 'Dt/DtTm');
  return {
    line: values.line,
    accountId: accountOf(context, statement),
    currency,
    balance: isDebit(values) ? -units : units,
    day: effectiveDay(dayOfText(dayText, name), context.now, name),
    statement: statement.text('Id', 'ElctrncSeqNb'),
  };
}

function accountOf({ settings }: ReadContext, statement: Values): string {
  const text = statement.text('Acct/Id/IBAN', 'Acct/Id/Othr/Id', 'Acct/Id/PrtryAcct/Id', 'Acct/Id/BBAN');
  const plain = settings.accounts.has(text) ? text : text.replaceAll(' ', '').replaceAll('/', ':');
  return ledgerAccount(settings, plain, 'the account of the statement');
}

/** @returns undefined for an entry that the bank has not booked (pending, or for information). */
function movementOf(context: ReadContext, statement: Values, values: Values): Movement | undefined {
  const { settings } = context;
  const status = values.text('Sts/Cd', 'Sts', 'Sts/Prtry');
  if (status !== '' && status !== 'BOOK') return undefined;
  const currency = rowCurrency(settings, values.required('Amt@Ccy'));
  const units = commandAmount(
    decimal(values.required('Amt'), 'the amount', exponentOf(currency)),
    'the amount',
  );
  const amount = isDebit(values) ? -units : units;
  const bookedText = values.required('BookgDt/Dt', 'BookgDt/DtTm', 'ValDt/Dt', 'ValDt/DtTm');
  const bankReference = values.text('AcctSvcrRef', 'NtryDtls/TxDtls/Refs/AcctSvcrRef');
  const description = [
    ...values.all('NtryDtls/TxDtls/RmtInf/Ustrd'),
    ...values.all('NtryDtls/TxDtls/RmtInf/Strd/CdtrRefInf/Ref'),
  ].join(' ');
  const counterparty = counterpartyOf(values, amount);
  const kind = cutTo(kindOf(values), MAX_TEXT);
  return {
    line: values.line,
    movementId: '',
    identity: [
      'camt.053',
      kind,
      bankReference,
      ...values.all('NtryRef'),
      ...values.all('NtryDtls/TxDtls/Refs/EndToEndId'),
      counterparty,
      description,
    ],
    reference: cutTo(bankReference, MAX_REFERENCE),
    accountId: accountOf(context, statement),
    currency,
    bookedOn: effectiveDay(dayOfText(bookedText, 'the booking day'), context.now, 'the booking day'),
    kind,
    purpose: cutTo(values.text('NtryDtls/TxDtls/Purp/Cd', 'NtryDtls/TxDtls/Purp/Prtry'), MAX_TEXT),
    amount,
    balanceBefore: undefined,
    balanceAfter: undefined,
    counterparty: keptCounterparty(settings, cutTo(counterparty, MAX_TEXT)),
    description: cutTo(description === '' ? values.text('AddtlNtryInf') : description, MAX_TEXT),
  };
}

/** ISO's code, such as `PMNT-RCDT-ESCT`; the bank's own where it gives no other. */
function kindOf(values: Values): string {
  const family = ['Cd', 'Fmly/Cd', 'Fmly/SubFmlyCd'].map((part) => values.text(`BkTxCd/Domn/${part}`));
  const iso = family.filter((part) => part !== '').join('-');
  return iso === '' ? values.text('BkTxCd/Prtry/Cd') : iso;
}

/** Who paid, where money came in; who was paid, where it went out. */
function counterpartyOf(values: Values, amount: bigint): string {
  const role = amount < 0n ? 'Cdtr' : 'Dbtr';
  const parties = 'NtryDtls/TxDtls/RltdPties';
  const name = values.text(`${parties}/${role}/Pty/Nm`, `${parties}/${role}/Nm`);
  const account = values.text(`${parties}/${role}Acct/Id/IBAN`, `${parties}/${role}Acct/Id/Othr/Id`);
  return [name, account].filter((part) => part !== '').join(' ');
}

function isDebit(values: Values): boolean {
  const direction = values.required('CdtDbtInd');
  if (direction !== 'DBIT' && direction !== 'CRDT')
    throw new FieldFault(`<CdtDbtInd> is ${quoted(direction)}, neither CRDT nor DBIT`);
  return direction === 'DBIT';
}

function decimal(text: string, name: string, exponent: number): bigint {
  const units = majorUnits(text, name, exponent, { decimal: '.', thousands: '', flags: '' });
  if (units < 0n) throw new FieldFault(`${name} ${quoted(text)} has a sign; <CdtDbtInd> says it in camt.053`);
  return units;
}

/** The day of the bank's own calendar, whatever the time and its zone. */
function dayOfText(text: string, name: string): bigint {
  const [, year = '', month = '', day = ''] = /^(\d{4})-(\d{2})-(\d{2})(?:[TZ+-].*)?$/.exec(text) ?? [];
  const time = dayOf(year, month, day);
  if (time === undefined) throw new FieldFault(`${name} ${quoted(text)} is no day such as 2024-01-31`);
  return time;
}
