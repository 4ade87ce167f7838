/**
 * What each method asks of its caller. This table is what is enforced, what docs/scopes.md is made from, and what a test calls
 * over both doors. A method that is not in it is refused to all.
 */
import type { Kind } from './scopes.js';

/** What a method is about. */
export type Subject =
  /** The ledger that its request names. */
  | 'ledger'
  /** A new ledger: its id tells nothing, for the scope alone decides. */
  | 'new ledger'
  /** Commands of the ledger that its request names, each by its own rule. */
  | 'batch'
  /** Commands of any ledgers, each by its own rule; a refused one is answered in its place. */
  | 'commands'
  /** All ledgers that the caller may see. */
  | 'visible ledgers'
  /** All ledgers of the platform. */
  | 'platform'
  /** Nothing that needs a credential. */
  | 'open';

/** The rule of one method. */
export interface MethodRule {
  /** The kind of scope that it needs; undefined if any credential will do, or none is asked for. */
  readonly kind: Kind | undefined;
  readonly subject: Subject;
}

const read: MethodRule = { kind: 'read', subject: 'ledger' };
const write: MethodRule = { kind: 'write', subject: 'ledger' };
const admin: MethodRule = { kind: 'admin', subject: 'ledger' };
const operate: MethodRule = { kind: 'admin', subject: 'platform' };
const open: MethodRule = { kind: undefined, subject: 'open' };

/** By service, then by method. A request whose field `force` is set needs the scope `force` too. */
export const METHOD_RULES: Readonly<Record<string, Readonly<Record<string, MethodRule>>>> = {
  'quittance.command.v1.LedgerCommandService': {
    CreateLedger: { kind: 'create', subject: 'new ledger' },
    RegisterAsset: admin,
    ClosePeriod: admin,
    ReopenPeriod: admin,
  },
  'quittance.command.v1.AccountCommandService': {
    OpenAccount: write,
    UpdateAccount: write,
    FreezeAccount: admin,
    UnfreezeAccount: admin,
    CloseAccount: admin,
  },
  'quittance.command.v1.TransactionCommandService': {
    Deposit: write,
    Withdraw: write,
    SubmitPayment: write,
    AuthorizePayment: write,
    AdjustAuthorization: write,
    CapturePayment: write,
    VoidPayment: write,
    RefundPayment: write,
    PostTransaction: write,
    ReverseTransaction: write,
    UpdateTransaction: write,
    ExecuteBatch: { kind: undefined, subject: 'batch' },
    StreamCommands: { kind: undefined, subject: 'commands' },
  },
  // A caller that may pay from a ledger may have it paid later.
  'quittance.command.v1.ScheduleService': {
    CreateSchedule: write,
    GetSchedule: read,
    ListSchedules: read,
    PauseSchedule: write,
    ResumeSchedule: write,
    CancelSchedule: write,
    ListScheduleRuns: read,
  },
  'quittance.query.v1.LedgerQueryService': {
    ListLedgers: { kind: undefined, subject: 'visible ledgers' },
    GetLedger: read,
    ListAssets: read,
  },
  'quittance.query.v1.AccountQueryService': {
    GetAccount: read,
    ListAccounts: read,
    GetBalance: read,
    BatchGetBalances: read,
    WatchBalances: read,
  },
  'quittance.query.v1.TransactionQueryService': {
    GetTransaction: read,
    ListTransactions: read,
    ListPayments: read,
    ListEntries: read,
    WatchTransactions: read,
    GetStatement: read,
  },
  'quittance.query.v1.ReportQueryService': {
    GetTrialBalance: read,
    SummarizeVolume: read,
    SummarizeDeclines: read,
    RankAccounts: read,
    SummarizeCashFlow: read,
    GetBalanceHistory: read,
  },
  'quittance.query.v1.EventQueryService': {
    ListEvents: read,
    GetEvent: read,
    WatchEvents: read,
  },
  'quittance.ops.v1.LedgerService': {
    VerifyLedger: admin,
  },
  'quittance.ops.v1.ProjectionService': {
    ListProjections: operate,
    GetProjection: operate,
    PauseProjection: operate,
    ResumeProjection: operate,
    RebuildProjection: operate,
    ListDeadLetters: operate,
    RetryDeadLetter: operate,
  },
  // Who may have all events sent elsewhere sees and steers all of it.
  'quittance.ops.v1.WebhookService': {
    CreateWebhook: admin,
    GetWebhook: admin,
    ListWebhooks: admin,
    UpdateWebhook: admin,
    PauseWebhook: admin,
    ResumeWebhook: admin,
    DeleteWebhook: admin,
    RotateWebhookSecret: admin,
    ListWebhookDeliveries: admin,
    RetryWebhookDelivery: admin,
    ReplayWebhook: admin,
  },
  'quittance.ops.v1.SystemService': {
    GetSystem: operate,
  },
  'grpc.health.v1.Health': {
    Check: open,
    List: open,
    Watch: open,
  },
};

const BY_NAME = new Map(
  Object.entries(METHOD_RULES).flatMap(([service, methods]) =>
    Object.entries(methods).map(([method, rule]): [string, MethodRule] => [`${service}/${method}`, rule]),
  ),
);

const COMMANDS = 'quittance.command.';

/** The rules of commands as batches and streams name them: `submitPayment`. */
const BY_COMMAND = new Map(
  Object.entries(METHOD_RULES)
    .filter(([service]) => service.startsWith(COMMANDS))
    .flatMap(([, methods]) => Object.entries(methods))
    .map(([name, rule]): [string, MethodRule] => [name.charAt(0).toLowerCase() + name.slice(1), rule]),
);

/** The rule of a method by its full name; undefined if there is none. */
export function ruleOf(method: string): MethodRule | undefined {
  return BY_NAME.get(method);
}

/** The rule of a command in a batch or a stream, by the case of its oneof. */
export function ruleOfCommand(name: string): MethodRule | undefined {
  return BY_COMMAND.get(name);
}
