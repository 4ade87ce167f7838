/** The page docs/scopes.md: what each method answers to each role, as the guard decides it. A test calls every cell over both doors. */
import { create, type DescMethod, fromJson, type JsonObject, type Message } from '@bufbuild/protobuf';
import { AccountCommandService } from '../../gen/quittance/command/v1/account_command_service_pb.js';
import { LedgerCommandService } from '../../gen/quittance/command/v1/ledger_command_service_pb.js';
import { ScheduleService } from '../../gen/quittance/command/v1/schedule_service_pb.js';
import { TransactionCommandService } from '../../gen/quittance/command/v1/transaction_command_service_pb.js';
import { ErrorReason } from '../../gen/quittance/common/v1/error_reason_pb.js';
import { Health } from '../../gen/grpc/health/v1/health_pb.js';
import { LedgerService } from '../../gen/quittance/ops/v1/ledger_service_pb.js';
import { ProjectionService } from '../../gen/quittance/ops/v1/projection_service_pb.js';
import { SystemService } from '../../gen/quittance/ops/v1/system_service_pb.js';
import { WebhookService } from '../../gen/quittance/ops/v1/webhook_service_pb.js';
import { AccountQueryService } from '../../gen/quittance/query/v1/account_query_service_pb.js';
import { EventQueryService } from '../../gen/quittance/query/v1/event_query_service_pb.js';
import { LedgerQueryService } from '../../gen/quittance/query/v1/ledger_query_service_pb.js';
import { ReportQueryService } from '../../gen/quittance/query/v1/report_query_service_pb.js';
import { TransactionQueryService } from '../../gen/quittance/query/v1/transaction_query_service_pb.js';
import { refusalOf } from './authorize.js';
import { type MethodRule, ruleOf } from './method-rules.js';
import { Grants } from './scopes.js';

/** The ledger that the calls of the page are about. */
export const PAGE_LEDGER = 'shop';

/** The roles of the page, each with its scopes. `nobody` sends no credentials. */
export const ROLES: Readonly<Record<string, readonly string[] | undefined>> = {
  nobody: undefined,
  stranger: ['read:sho', 'write:shop-*', 'admin:other', 'force:other', 'create:other'],
  reader: [`read:${PAGE_LEDGER}`],
  writer: [`write:${PAGE_LEDGER}`],
  forcer: [`write:${PAGE_LEDGER}`, `force:${PAGE_LEDGER}`],
  admin: [`admin:${PAGE_LEDGER}`],
  creator: [`create:${PAGE_LEDGER}`],
  operator: ['admin:*'],
};

const SERVICES = [
  LedgerCommandService,
  AccountCommandService,
  TransactionCommandService,
  ScheduleService,
  LedgerQueryService,
  AccountQueryService,
  TransactionQueryService,
  ReportQueryService,
  EventQueryService,
  LedgerService,
  ProjectionService,
  SystemService,
  WebhookService,
  Health,
];

/** A call of the page. */
export interface PageCall {
  readonly method: DescMethod;
  /** What the call is, as the page names it: the method, and what is special about the request. */
  readonly name: string;
  /** What makes the request special, in proto3 JSON. */
  readonly special: JsonObject;
}

const INNER: JsonObject = { ledgerId: PAGE_LEDGER };

/** Calls of a method that are judged otherwise than the method alone. */
const SPECIAL: Readonly<Record<string, readonly (readonly [words: string, special: JsonObject])[]>> = {
  RefundPayment: [['with `force`', { force: true }]],
  PostTransaction: [['with `force`', { force: true }]],
  ReverseTransaction: [['with `force`', { force: true }]],
  ExecuteBatch: [
    ['of Deposit', { commands: [{ deposit: INNER }] }],
    ['of FreezeAccount', { commands: [{ freezeAccount: INNER }] }],
    [
      'of PostTransaction with `force`',
      { commands: [{ postTransaction: { ledgerId: PAGE_LEDGER, force: true } }] },
    ],
  ],
  StreamCommands: [
    ['of CreateLedger', { command: { createLedger: INNER } }],
    ['of Deposit', { command: { deposit: INNER } }],
    ['of FreezeAccount', { command: { freezeAccount: INNER } }],
  ],
};

/** All calls of the page, in the order of the services. */
export function pageCalls(): readonly PageCall[] {
  return SERVICES.flatMap(({ methods }) => methods).flatMap((method): PageCall[] => {
    const plain = { method, name: method.name, special: {} };
    const special = (SPECIAL[method.name] ?? []).map(([words, json]) => ({
      method,
      name: `${method.name} ${words}`,
      special: json,
    }));
    // A batch or a stream without commands asks for nothing.
    return method.name === 'ExecuteBatch' || method.name === 'StreamCommands' ? special : [plain, ...special];
  });
}

/** What a call answers to a role. `yes` stands for what the method answers itself. */
export type PageAnswer = 'yes' | 'UNAUTHENTICATED' | 'PERMISSION_DENIED' | 'LEDGER_NOT_FOUND';

/** How the page writes the answers. */
export const PAGE_WORDS: Readonly<Record<PageAnswer, string>> = {
  yes: 'yes',
  UNAUTHENTICATED: 'unknown',
  PERMISSION_DENIED: 'denied',
  LEDGER_NOT_FOUND: 'not found',
};

function answerTo(call: PageCall, scopes: readonly string[] | undefined): PageAnswer {
  const { method } = call;
  const name = `${method.parent.typeName}/${method.name}`;
  if (scopes === undefined) return ruleOf(name)?.subject === 'open' ? 'yes' : 'UNAUTHENTICATED';
  const refusal = refusalOf(new Grants(scopes), name, requestOf(call));
  switch (refusal?.reason) {
    case undefined:
      return 'yes';
    case ErrorReason.LEDGER_NOT_FOUND:
      return 'LEDGER_NOT_FOUND';
    default:
      return 'PERMISSION_DENIED';
  }
}

function requestOf({ method, special }: PageCall): Message {
  const hasLedger = method.input.fields.some(({ name }) => name === 'ledger_id');
  const json = hasLedger ? { ...special, ledgerId: PAGE_LEDGER } : special;
  return Object.keys(json).length === 0 ? create(method.input) : fromJson(method.input, json);
}

/** The text of docs/scopes.md. */
export function scopesPage(): string {
  const roles = Object.keys(ROLES);
  const rows = pageCalls().map((call) => {
    const answers = Object.values(ROLES).map((scopes) => PAGE_WORDS[answerTo(call, scopes)]);
    return `| ${call.name} | ${needOf(call)} | ${answers.join(' | ')} |`;
  });
  const ofRoles = Object.entries(ROLES).map(
    ([role, scopes]) =>
      `| ${role} | ${scopes === undefined ? 'no credentials' : scopes.map((each) => `\`${each}\``).join(' ')} |`,
  );
  return [
    HEAD,
    '| role | scopes |',
    '|---|---|',
    ...ofRoles,
    '',
    WORDS,
    '',
    `| call | needs | ${roles.join(' | ')} |`,
    `|---|---|${roles.map(() => '---|').join('')}`,
    ...rows,
    '',
    TAIL,
    '',
  ].join('\n');
}

function needOf({ method, special }: PageCall): string {
  const rule = ruleOf(`${method.parent.typeName}/${method.name}`);
  if (rule === undefined) return 'no scope allows it';
  const words: Readonly<Record<MethodRule['subject'], string>> = {
    ledger: `\`${rule.kind ?? ''}:LEDGER\``,
    'new ledger': `\`${rule.kind ?? ''}:LEDGER\``,
    batch: 'what its commands need',
    commands: 'what each command needs',
    'visible ledgers': 'any scope',
    platform: `\`${rule.kind ?? ''}:*\``,
    open: 'nothing',
  };
  return `${words[rule.subject]}${special['force'] === true ? ' `force:LEDGER`' : ''}`;
}

const HEAD = `# Scopes: who may call what

Made from \`lib/auth/method-rules.ts\` by \`npm run generate:scopes\`; a test makes every call of it, as every role, over both doors.
What scopes are and how callers get them: [security](security.md).
`;

const WORDS = `The ledger of the calls is \`${PAGE_LEDGER}\`. **yes**: the method answers. **denied**: PERMISSION_DENIED. **not found**: LEDGER_NOT_FOUND, as for a
ledger that does not exist. **unknown**: UNAUTHENTICATED.`;

const TAIL = `A command in a stream is judged alone, and a refused one is answered in its place. A batch is refused as a whole, before anything of it
is decided. \`ListLedgers\` answers every caller with credentials, with the ledgers that any of the caller's scopes is for.
\`/metrics\` needs the scope \`metrics\`. \`/healthz\`, \`/readyz\`, \`grpc.health.v1\` and server reflection need nothing.`;
