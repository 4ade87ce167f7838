/** A Connect door on a free port, with fake services behind it, for the tests of this folder. */
import { once } from 'node:events';
import { types } from 'node:util';
import { create } from '@bufbuild/protobuf';
import { anyPack } from '@bufbuild/protobuf/wkt';
import { Code, ConnectError, type Transport } from '@connectrpc/connect';
import { createConnectTransport } from '@connectrpc/connect-node';
import { afterEach, expect } from '@jest/globals';
import { pino } from 'pino';
import { Registry } from 'prom-client';
import { ErrorInfoSchema } from '../../../../gen/google/rpc/error_details_pb.js';
import {
  type CreateLedgerRequest,
  LedgerCommandService,
} from '../../../../gen/quittance/command/v1/ledger_command_service_pb.js';
import {
  CommandResultSchema,
  TransactionCommandService,
} from '../../../../gen/quittance/command/v1/transaction_command_service_pb.js';
import {
  AccountQueryService,
  type GetBalanceRequest,
} from '../../../../gen/quittance/query/v1/account_query_service_pb.js';
import type { Call } from '../../call.js';
import { callMetrics } from '../../call-metrics.js';
import { createChain, DEFAULT_CHAIN_LIMITS } from '../../chain.js';
import { type ConnectDoorOptions, openConnectDoor } from '../door.js';
import { createHealth } from '../../health.js';
import { implement, type Implementation } from '../../service.js';

// jest runs tests in a realm with an Error of its own, to which what Node throws is none; outside jest it is one.
Object.defineProperty(Error, Symbol.hasInstance, {
  value: function (this: unknown, value: unknown): boolean {
    if (this !== Error) return Function.prototype[Symbol.hasInstance].call(this, value);
    return types.isNativeError(value) || value instanceof DOMException;
  },
});

export const LEDGER = { ledgerId: 'main', requestId: '018f0000-0000-7000-8000-000000000000' };
export const BALANCE = { ledgerId: 'main', accountId: 'alice' };
export const GET_BALANCE = '/quittance.query.v1.AccountQueryService/GetBalance';
export const WATCH_BALANCES = '/quittance.query.v1.AccountQueryService/WatchBalances';
export const CREATE_LEDGER = '/quittance.command.v1.LedgerCommandService/CreateLedger';
export const JSON_TYPE = { 'Content-Type': 'application/json' };

export const unused = (): never => {
  throw new Error('not called here');
};

/** What the fake services do; a test overrides what it looks at. */
export interface Fakes {
  createLedger: (request: CreateLedgerRequest, call: Call) => Promise<object>;
  getBalance: (request: GetBalanceRequest, call: Call) => Promise<object>;
  watchBalances: (call: Call) => AsyncIterable<object>;
}

const closers: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});

export async function open(
  fakes: Partial<Fakes> = {},
  overrides: Partial<ConnectDoorOptions> = {},
  commands: Partial<Pick<Implementation<typeof TransactionCommandService>, 'streamCommands'>> = {},
) {
  const { createLedger, getBalance, watchBalances } = {
    createLedger: async () => ({ position: 1n }),
    getBalance: async () => ({ asOf: { position: 42n } }),
    watchBalances: unused,
    ...fakes,
  };
  const registry = new Registry();
  const logger = pino({ enabled: false });
  const metrics = callMetrics(registry);
  const health = createHealth([AccountQueryService.typeName]);
  const door = await openConnectDoor({
    host: '127.0.0.1',
    port: 0,
    chain: createChain({ logger, metrics, ...DEFAULT_CHAIN_LIMITS }),
    health,
    registry,
    logger,
    corsOrigins: ['https://console.example.com'],
    allowedHosts: [],
    services: [
      health.service,
      implement(AccountQueryService, {
        getAccount: unused,
        listAccounts: unused,
        batchGetBalances: unused,
        getBalance,
        watchBalances: (_request, call) => watchBalances(call),
      }),
      implement(LedgerCommandService, {
        createLedger,
        registerAsset: unused,
        closePeriod: unused,
        reopenPeriod: unused,
      }),
      implement(TransactionCommandService, {
        deposit: unused,
        withdraw: unused,
        submitPayment: unused,
        authorizePayment: unused,
        adjustAuthorization: unused,
        capturePayment: unused,
        voidPayment: unused,
        refundPayment: unused,
        postTransaction: unused,
        reverseTransaction: unused,
        updateTransaction: unused,
        streamCommands: commands.streamCommands ?? unused,
        executeBatch: async () => ({ results: [batchError()] }),
      }),
    ],
    ...overrides,
  });
  closers.push(() => door.close());
  return { door, health, url: `http://127.0.0.1:${String(door.port)}` };
}

/** One answer of a batch that failed: a google.rpc.Status with an Any, the hard case of JSON. */
function batchError() {
  const info = create(ErrorInfoSchema, { reason: 'ACCOUNT_NOT_FOUND', domain: 'quittance' });
  const error = { code: Code.NotFound, message: 'none', details: [anyPack(ErrorInfoSchema, info)] };
  return create(CommandResultSchema, { result: { case: 'error', value: error } });
}

export function transport(
  baseUrl: string,
  options: { useBinaryFormat?: boolean; useHttpGet?: boolean } = {},
): Transport {
  return createConnectTransport({ baseUrl, httpVersion: '1.1', ...options });
}

/** The error of a call: its code, the reason in its ErrorInfo, and the rest. */
export async function failureOf(work: Promise<unknown>) {
  const error: unknown = await work.then(
    () => 'no error',
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof ConnectError)) throw new Error('not a ConnectError', { cause: error });
  return { error, code: error.code, reason: error.findDetails(ErrorInfoSchema)[0]?.reason };
}

export interface ErrorBody {
  readonly code: string;
  readonly message: string;
  readonly details: readonly { readonly type: string; readonly debug?: Readonly<Record<string, unknown>> }[];
}

/** The parts of an error answered to a plain HTTP call. */
export async function httpFailure(answer: Response) {
  const body = (await answer.json()) as ErrorBody;
  const info = body.details.filter(({ type }) => type === 'google.rpc.ErrorInfo');
  expect(info).toHaveLength(1);
  return { status: answer.status, code: body.code, reason: info[0]?.debug?.['reason'], body };
}

export const post = (
  url: string,
  body: string | Uint8Array<ArrayBuffer>,
  headers: Record<string, string> = JSON_TYPE,
) => fetch(url, { method: 'POST', headers, body });

export async function all<T>(stream: AsyncIterable<T>): Promise<T[]> {
  const items: T[] = [];
  for await (const item of stream) items.push(item);
  return items;
}

export function gate() {
  let release = () => {};
  const opened = new Promise<void>((resolve) => {
    release = resolve;
  });
  return { opened, release };
}

/** Stays open until its call ends. */
export async function* endless({ signal }: Call): AsyncGenerator<object> {
  yield { asOf: { position: 1n } };
  await once(new EventTarget(), 'never', { signal });
}
