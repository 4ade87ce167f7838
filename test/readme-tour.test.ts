/** The README stays true: every call of its tour is sent, through the door it is written for, in order. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import {
  createRegistry,
  type DescMethod,
  type DescMethodServerStreaming,
  type DescMethodUnary,
  fromJsonString,
  toJsonString,
} from '@bufbuild/protobuf';
import { AccountCommandService } from '../gen/quittance/command/v1/account_command_service_pb.js';
import { LedgerCommandService } from '../gen/quittance/command/v1/ledger_command_service_pb.js';
import { TransactionCommandService } from '../gen/quittance/command/v1/transaction_command_service_pb.js';
import { LedgerService } from '../gen/quittance/ops/v1/ledger_service_pb.js';
import { ProjectionService } from '../gen/quittance/ops/v1/projection_service_pb.js';
import { AccountQueryService } from '../gen/quittance/query/v1/account_query_service_pb.js';
import { EventQueryService } from '../gen/quittance/query/v1/event_query_service_pb.js';
import { LedgerQueryService } from '../gen/quittance/query/v1/ledger_query_service_pb.js';
import { ReportQueryService } from '../gen/quittance/query/v1/report_query_service_pb.js';
import { TransactionQueryService } from '../gen/quittance/query/v1/transaction_query_service_pb.js';
import { VARIABLES } from '../services/standalone/config.js';
import { type GrpcClient, grpcClient } from '../tools/client/grpc-client.js';
import { startTestServer, type TestServer } from './standalone.js';
import { existsSync } from 'node:fs';
import { readReadme, readTour, type TourCall } from './readme-tour.js';

const SERVICES = createRegistry(
  AccountCommandService,
  LedgerCommandService,
  TransactionCommandService,
  LedgerService,
  ProjectionService,
  AccountQueryService,
  EventQueryService,
  LedgerQueryService,
  ReportQueryService,
  TransactionQueryService,
);

let server: TestServer;
let client: GrpcClient;

beforeAll(async () => {
  server = await startTestServer();
  client = grpcClient(server.grpc);
});

afterAll(async () => {
  client.close();
  await server.stop();
});

async function overConnect({ method, data, framed }: TourCall): Promise<string> {
  const url = `${server.connect}/${method}`;
  if (!framed) {
    const headers = { 'Content-Type': 'application/json' };
    const response = await fetch(url, { method: 'POST', headers, body: data });
    const text = await response.text();
    expect({ status: response.status, text }).toMatchObject({ status: 200 });
    return text;
  }
  const body = Buffer.concat([Buffer.from([0, 0, 0, 0, data.length]), Buffer.from(data)]);
  const headers = { 'Content-Type': 'application/connect+json' };
  const response = await fetch(url, { method: 'POST', headers, body });
  return response.text();
}

async function overGrpc({ method, data }: TourCall): Promise<string> {
  const found = methodOf(method);
  if (isUnary(found)) {
    const answer = await client.unary(found, fromJsonString(found.input, data));
    return toJsonString(found.output, answer);
  }
  if (!isServerStream(found)) throw new Error(`${method} is not for a tour`);
  const answers: string[] = [];
  for await (const answer of client.serverStream(found, fromJsonString(found.input, data)))
    answers.push(toJsonString(found.output, answer));
  return answers.join('\n');
}

function isUnary(method: DescMethod): method is DescMethodUnary {
  return method.methodKind === 'unary';
}

function isServerStream(method: DescMethod): method is DescMethodServerStreaming {
  return method.methodKind === 'server_streaming';
}

function methodOf(path: string): DescMethod {
  const [service = '', name = ''] = path.split('/');
  const found = SERVICES.getService(service)?.methods.find((method) => method.name === name);
  if (found === undefined) throw new Error(`there is no method ${path}`);
  return found;
}

const compact = (text: string): string => text.replaceAll(/\s+/g, '');

const CALLS = readTour();

describe('the tour', () => {
  test.each(CALLS.map((call): [string, TourCall] => [`${call.title} (${call.door})`, call]))(
    '%s',
    async (_, call) => {
      const answer = call.door === 'connect' ? await overConnect(call) : await overGrpc(call);
      for (const snippet of call.expected) expect(compact(answer)).toContain(compact(snippet));
    },
  );

  test('says each call twice, once for each door', () => {
    const said = (door: TourCall['door']) =>
      CALLS.filter((call) => call.door === door).map(({ method, data }) => `${method} ${data}`);
    expect(said('connect')).toEqual(said('grpc'));
  });
});

test('the table of the configuration lists every variable and no other', () => {
  const table = readReadme().split('## Configuration')[1] ?? '';
  // A row may be of several variables.
  const cells = [...table.matchAll(/^\| ([^|]+) \|/gm)].map(([, cell]) => cell ?? '');
  const listed = cells.flatMap((cell) => [...cell.matchAll(/`(QUITTANCE_\w+)`/g)].map(([, name]) => name));
  expect(listed.sort()).toEqual([...VARIABLES].sort());
});

test('every page that the README points to exists', () => {
  const targets = [...readReadme().matchAll(/\]\(([^)#]+)\)/g)].map(([, path]) => path ?? '');
  const missing = targets.filter(
    (path) => !path.startsWith('http') && !existsSync(new URL(`../${path}`, import.meta.url)),
  );
  expect(missing).toEqual([]);
});
