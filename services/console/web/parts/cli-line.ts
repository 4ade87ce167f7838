/** A call as a line of the command line. What no flag of it says is sent as a command of a batch; a read may have no line. */
import type { DescMethod, JsonObject, JsonValue } from '@bufbuild/protobuf';
import { CommandSchema } from '../../../../gen/quittance/command/v1/transaction_command_service_pb.js';
import type { ExponentOf } from '../actions/form-values.js';
import { plainMoney } from '../money.js';

/** How a field is written as a flag. */
interface Spelling {
  readonly flag: string;
  /** Of an enum: what its names in JSON begin with. */
  readonly enumPrefix?: string;
  /** Stands before the value. */
  readonly before?: string;
  /** Minor units of the field `currency`. */
  readonly isMinorUnits?: boolean;
}

interface Form {
  readonly words: string;
  /** Fields that are words by their place, in their order. */
  readonly places: readonly string[];
  readonly flags: Readonly<Record<string, Spelling>>;
}

const text = (flag: string): Spelling => ({ flag });
const word = (flag: string, enumPrefix: string): Spelling => ({ flag, enumPrefix });
const effective = (flag: string): Spelling => ({ flag, before: 'effective:' });

const BOOKING = {
  reference: text('--reference'),
  description: text('--description'),
  metadata: text('--metadata'),
  effectiveTime: text('--effective'),
} as const;
const VERSION = { expectedVersion: text('--expected-version') } as const;
const LIST = { pageSize: text('--limit'), descending: text('--desc') } as const;
const RANGE = {
  startRecordedTime: text('--from'),
  endRecordedTime: text('--to'),
  startEffectiveTime: effective('--from'),
  endEffectiveTime: effective('--to'),
} as const;
const BETWEEN = ['payerAccountId', 'payeeAccountId', 'amount'];
const KIND = word('--kind', 'TRANSACTION_KIND_');
const ROWS = {
  currency: text('--currency'),
  minAmount: { flag: '--min', isMinorUnits: true },
  maxAmount: { flag: '--max', isMinorUnits: true },
  actor: text('--actor'),
  forced: text('--forced'),
  metadata: text('--metadata'),
} as const;

/** By the name of the method, which is one in all services. */
const FORMS: Readonly<Record<string, Form>> = {
  CreateLedger: {
    words: 'ledger create',
    places: ['ledgerId'],
    flags: { description: text('--description'), metadata: text('--metadata') },
  },
  RegisterAsset: {
    words: 'asset register',
    places: ['code'],
    flags: { exponent: text('--exponent'), name: text('--name') },
  },
  OpenAccount: {
    words: 'account open',
    places: ['accountId', 'currency'],
    flags: {
      type: word('--type', 'ACCOUNT_TYPE_'),
      overdraftLimit: { flag: '--overdraft', isMinorUnits: true },
      name: text('--name'),
      ownerReference: text('--owner'),
      metadata: text('--metadata'),
    },
  },
  ClosePeriod: {
    words: 'ledger close-period',
    places: ['closedThrough'],
    flags: { description: text('--description') },
  },
  ReopenPeriod: {
    words: 'ledger reopen-period',
    places: ['reason'],
    flags: { keepClosedThrough: text('--keep') },
  },
  FreezeAccount: {
    words: 'account freeze',
    places: ['accountId'],
    flags: { scope: word('--scope', 'FREEZE_SCOPE_'), ...VERSION },
  },
  UnfreezeAccount: { words: 'account unfreeze', places: ['accountId'], flags: VERSION },
  CloseAccount: { words: 'account close', places: ['accountId'], flags: VERSION },
  Deposit: {
    words: 'transaction deposit',
    places: ['accountId', 'amount'],
    flags: { settlementAccountId: text('--settlement'), ...VERSION, ...BOOKING },
  },
  Withdraw: {
    words: 'transaction withdraw',
    places: ['accountId', 'amount'],
    flags: { settlementAccountId: text('--settlement'), upTo: text('--up-to'), ...VERSION, ...BOOKING },
  },
  SubmitPayment: { words: 'payment submit', places: BETWEEN, flags: { upTo: text('--up-to'), ...BOOKING } },
  AuthorizePayment: {
    words: 'payment authorize',
    places: BETWEEN,
    flags: { expireTime: text('--expires'), ...BOOKING },
  },
  CapturePayment: {
    words: 'payment capture',
    places: ['paymentId', 'amount'],
    flags: { all: text('--all'), final: text('--final'), ...BOOKING },
  },
  VoidPayment: { words: 'payment void', places: ['paymentId'], flags: {} },
  RefundPayment: {
    words: 'payment refund',
    places: ['paymentId', 'amount'],
    flags: {
      all: text('--all'),
      fromAccountId: text('--from'),
      toAccountId: text('--to'),
      force: text('--force'),
      ...BOOKING,
    },
  },
  ReverseTransaction: {
    words: 'transaction reverse',
    places: ['transactionId'],
    flags: { force: text('--force'), ...BOOKING },
  },
  ListLedgers: {
    words: 'ledger list',
    places: [],
    flags: { ledgerIdPrefix: text('--prefix'), pageSize: text('--limit') },
  },
  GetLedger: { words: 'ledger get', places: ['ledgerId'], flags: {} },
  GetAccount: { words: 'account get', places: ['accountId'], flags: {} },
  GetBalance: {
    words: 'account get',
    places: ['accountId'],
    flags: { position: text('--at'), recordedTime: text('--at'), effectiveTime: effective('--at') },
  },
  BatchGetBalances: { words: 'account balance', places: ['accountIds'], flags: {} },
  ListAccounts: {
    words: 'account list',
    places: [],
    flags: {
      accountIdPrefix: text('--prefix'),
      currency: text('--currency'),
      type: word('--type', 'ACCOUNT_TYPE_'),
      status: word('--status', 'ACCOUNT_STATUS_'),
      ownerReference: text('--owner'),
      minPosted: { flag: '--min-posted', isMinorUnits: true },
      maxPosted: { flag: '--max-posted', isMinorUnits: true },
      metadata: text('--metadata'),
      pageSize: text('--limit'),
    },
  },
  GetTransaction: { words: 'transaction get', places: ['transactionId'], flags: {} },
  ListTransactions: {
    words: 'transaction list',
    places: [],
    flags: {
      accountId: text('--account'),
      kinds: KIND,
      status: word('--status', 'TRANSACTION_STATUS_'),
      reference: text('--reference'),
      paymentId: text('--payment'),
      declineReason: word('--reason', 'DECLINE_REASON_'),
      ...ROWS,
      ...RANGE,
      ...LIST,
    },
  },
  ListPayments: {
    words: 'payment list',
    places: [],
    flags: {
      status: word('--status', 'TRANSACTION_STATUS_'),
      payerAccountId: text('--payer'),
      payeeAccountId: text('--payee'),
      hasRemaining: text('--remaining'),
      startExpireTime: text('--expires-from'),
      endExpireTime: text('--expires-before'),
      orderBy: word('--order', 'PAYMENT_ORDER_'),
      ...LIST,
    },
  },
  ListEntries: {
    words: 'entry list',
    places: [],
    flags: {
      accountId: text('--account'),
      kinds: KIND,
      direction: word('--direction', 'DIRECTION_'),
      transactionId: text('--transaction'),
      ...ROWS,
      ...RANGE,
      ...LIST,
    },
  },
  GetStatement: {
    words: 'account statement',
    places: ['accountId'],
    flags: {
      startTime: text('--from'),
      endTime: text('--to'),
      position: text('--position'),
      pageSize: text('--limit'),
    },
  },
  ListEvents: {
    words: 'event list',
    places: [],
    flags: {
      streamId: text('--stream'),
      actor: text('--actor'),
      kinds: word('--kind', 'EVENT_KIND_'),
      startPosition: text('--start'),
      endPosition: text('--end'),
      startRecordedTime: text('--from'),
      endRecordedTime: text('--to'),
      ...LIST,
    },
  },
  GetEvent: { words: 'event get', places: ['position'], flags: {} },
  GetTrialBalance: {
    words: 'report trial-balance',
    places: [],
    flags: {
      groupBy: word('--by', 'TRIAL_BALANCE_GROUPING_'),
      currency: text('--currency'),
      position: text('--at'),
      pageSize: text('--limit'),
    },
  },
  ListProjections: { words: 'projection list', places: [], flags: {} },
  GetProjection: { words: 'projection get', places: ['projectionId'], flags: {} },
  PauseProjection: { words: 'projection pause --yes', places: ['projectionId'], flags: {} },
  ResumeProjection: { words: 'projection resume', places: ['projectionId'], flags: {} },
  RebuildProjection: {
    words: 'projection rebuild --yes',
    places: ['projectionId'],
    flags: { acceptDifferences: text('--accept-differences') },
  },
  ListSchedules: { words: 'schedule list', places: [], flags: LIST },
  GetSchedule: { words: 'schedule get', places: ['scheduleId'], flags: {} },
  ListWebhooks: { words: 'webhook list', places: [], flags: {} },
  GetWebhook: { words: 'webhook get', places: ['webhookId'], flags: {} },
  ListWebhookDeliveries: { words: 'webhook deliveries', places: ['webhookId'], flags: LIST },
  GetBalanceHistory: {
    words: 'report balance-history',
    places: ['accountId'],
    flags: { position: text('--position') },
  },
  VerifyLedger: { words: 'verify', places: ['ledgerId'], flags: {} },
};

/** Fields that every line writes alike. */
const SHARED: Readonly<Record<string, Spelling>> = {
  ledgerId: text('--ledger'),
  requestId: text('--request-id'),
  validateOnly: text('--dry-run'),
};

/** The line; undefined where the command line has none for it. */
export function cliLine(method: DescMethod, json: JsonValue, exponentOf: ExponentOf): string | undefined {
  if (!isObject(json)) return undefined;
  return lineOf(FORMS[method.name], json, exponentOf) ?? batchLine(method, json);
}

/** As a shell takes it for one word. */
export function quoted(value: string): string {
  return /^[\w@%+=:,./-]+$/.test(value) ? value : `'${value.replaceAll("'", String.raw`'\''`)}'`;
}

function lineOf(form: Form | undefined, json: JsonObject, exponentOf: ExponentOf): string | undefined {
  if (form === undefined) return undefined;
  const words: string[] = [];
  for (const place of form.places) {
    const value = json[place];
    const isReplaced = place === 'amount' && json['all'] === true;
    // What is still to be filled in is a word in capitals.
    const written = isEmpty(value) ? [snake(place).toUpperCase()] : placeWords(value, exponentOf);
    if (written === undefined) return undefined;
    if (!isReplaced || !isEmpty(value)) words.push(...written);
  }
  const rest = Object.entries(json).filter(
    ([name, value]) => !form.places.includes(name) && !isEmpty(value) && name !== 'consistency',
  );
  for (const [name, value] of rest) {
    const spelling = form.flags[name] ?? SHARED[name];
    const flags = spelling === undefined ? undefined : flagWords(spelling, value, json, exponentOf);
    if (flags === undefined) return undefined;
    words.push(...flags);
  }
  const fresh = freshness(json['consistency']);
  return fresh === undefined
    ? undefined
    : ['quittance', form.words, ...words.map(quoted), ...fresh].join(' ');
}

/** Any command, as a file of one line. */
function batchLine({ localName }: DescMethod, json: JsonObject): string | undefined {
  if (!CommandSchema.fields.some((field) => field.localName === localName)) return undefined;
  const { ledgerId, validateOnly, ...others } = json;
  const command = JSON.stringify({ [localName]: { ...others, ledgerId: ledgerId ?? '' } });
  const ledger = typeof ledgerId === 'string' && ledgerId !== '' ? ` --ledger ${quoted(ledgerId)}` : '';
  const dry = validateOnly === true ? ' --dry-run' : '';
  return `echo '${command.replaceAll("'", String.raw`'\''`)}' | quittance batch run - --format ndjson${ledger}${dry}`;
}

function placeWords(value: JsonValue | undefined, exponentOf: ExponentOf): readonly string[] | undefined {
  if (Array.isArray(value)) return value.map(textOf);
  if (typeof value === 'string' || typeof value === 'number') return [String(value)];
  if (!isObject(value)) return undefined;
  const { currency, minorUnits } = value;
  const exponent = typeof currency === 'string' ? exponentOf(currency) : undefined;
  const units = unitsOf(minorUnits);
  if (exponent === undefined || units === undefined) return undefined;
  return [plainMoney(units, exponent), textOf(currency)];
}

function flagWords(
  { flag, enumPrefix, before = '', isMinorUnits }: Spelling,
  value: JsonValue,
  { currency }: JsonObject,
  exponentOf: ExponentOf,
): readonly string[] | undefined {
  if (value === true) return [flag];
  if (Array.isArray(value)) return value.flatMap((each) => [flag, wordOf(pairOf(each), enumPrefix)]);
  if (isObject(value))
    return Object.entries(value).flatMap(([key, each]) => [flag, `${key}=${textOf(each)}`]);
  if (isMinorUnits !== true) return [flag, before + wordOf(textOf(value), enumPrefix)];
  const exponent = typeof currency === 'string' ? exponentOf(currency) : undefined;
  const units = unitsOf(value);
  if (exponent === undefined || units === undefined) return undefined;
  const amount = plainMoney(units, exponent);
  // A hyphen would begin another flag.
  return units < 0n ? [`${flag}=${amount}`] : [flag, amount];
}

/** A pair of metadata as the flag takes it, or a text. */
function pairOf(each: JsonValue): string {
  if (!isObject(each)) return textOf(each);
  const key = textOf(each['key']);
  return each['value'] === undefined ? key : `${key}=${textOf(each['value'])}`;
}

/** `TRANSACTION_KIND_REFUND` is written `refund`. */
function wordOf(value: string, enumPrefix: string | undefined): string {
  if (enumPrefix === undefined) return value;
  return value.replace(enumPrefix, '').toLowerCase().replaceAll('_', '-');
}

function unitsOf(value: JsonValue | undefined): bigint | undefined {
  const digits = textOf(value);
  return /^-?\d{1,18}$/.test(digits) ? BigInt(digits) : undefined;
}

/** A value that is no object; an object is no text. */
function textOf(value: JsonValue | undefined): string {
  return typeof value === 'string' || typeof value === 'number' ? String(value) : '';
}

/** undefined for a consistency that is not understood. */
function freshness(consistency: JsonValue | undefined): readonly string[] | undefined {
  if (isEmpty(consistency)) return [];
  if (!isObject(consistency)) return undefined;
  const { fullyConsistent, atLeastAsFresh, minimizeLatency } = consistency;
  if (fullyConsistent === true) return ['--fresh'];
  if (typeof atLeastAsFresh === 'string') return ['--after', quoted(atLeastAsFresh)];
  return minimizeLatency === true ? ['--stale'] : undefined;
}

/** Whether it is what a field is without being set. */
function isEmpty(value: JsonValue | undefined): boolean {
  if (
    value === undefined ||
    value === null ||
    value === '' ||
    value === 0 ||
    value === '0' ||
    value === false
  )
    return true;
  if (typeof value === 'string') return value.endsWith('_UNSPECIFIED');
  return typeof value === 'object' && Object.keys(value).length === 0;
}

function isObject(value: JsonValue | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function snake(name: string): string {
  return name.replaceAll(/[A-Z]/g, (capital) => `_${capital}`);
}
