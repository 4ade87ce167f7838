import { fileURLToPath } from 'node:url';
import { type DescService, createFileRegistry, create, fromBinary } from '@bufbuild/protobuf';
import { FileDescriptorProtoSchema, FileDescriptorSetSchema } from '@bufbuild/protobuf/wkt';
import * as grpc from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Health } from '../../gen/grpc/health/v1/health_pb.js';
import { AccountCommandService } from '../../gen/quittance/command/v1/account_command_service_pb.js';
import { LedgerCommandService } from '../../gen/quittance/command/v1/ledger_command_service_pb.js';
import { TransactionCommandService } from '../../gen/quittance/command/v1/transaction_command_service_pb.js';
import { LedgerService } from '../../gen/quittance/ops/v1/ledger_service_pb.js';
import { ProjectionService } from '../../gen/quittance/ops/v1/projection_service_pb.js';
import { AccountQueryService } from '../../gen/quittance/query/v1/account_query_service_pb.js';
import { EventQueryService } from '../../gen/quittance/query/v1/event_query_service_pb.js';
import { LedgerQueryService } from '../../gen/quittance/query/v1/ledger_query_service_pb.js';
import { ReportQueryService } from '../../gen/quittance/query/v1/report_query_service_pb.js';
import { TransactionQueryService } from '../../gen/quittance/query/v1/transaction_query_service_pb.js';
import { addReflection } from './reflection.js';

const SERVICES: readonly DescService[] = [
  Health,
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
];

/** What a reflection client is told, as far as these tests look at it. */
interface ReflectionResponse {
  readonly listServicesResponse?: { readonly service: readonly { readonly name: string }[] };
  readonly fileDescriptorResponse?: { readonly fileDescriptorProto: readonly Uint8Array[] };
  readonly errorResponse?: { readonly errorCode: number };
}

const server = new grpc.Server();
const clients: grpc.Client[] = [];
let port = 0;

beforeAll(async () => {
  addReflection(
    server,
    SERVICES.map((desc) => ({ desc, methods: [] })),
  );
  port = await new Promise((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', grpc.ServerCredentials.createInsecure(), (error, bound) => {
      if (error === null) resolve(bound);
      else reject(error);
    });
  });
});

afterAll(() => {
  for (const client of clients) client.close();
  server.forceShutdown();
});

/** Asks as a client does that has the library's own .proto file. */
function ask(version: string, request: object): Promise<ReflectionResponse> {
  const name = `grpc.reflection.${version}.ServerReflection`;
  const path = `../../node_modules/@grpc/reflection/build/proto/grpc/reflection/${version}/reflection.proto`;
  const definition = loadSync(fileURLToPath(new URL(path, import.meta.url)))[name];
  const method =
    definition !== undefined && !('format' in definition) ? definition['ServerReflectionInfo'] : undefined;
  if (method === undefined) throw new Error(`no ${name}`);
  const client = new grpc.Client(`127.0.0.1:${String(port)}`, grpc.credentials.createInsecure());
  clients.push(client);
  const call = client.makeBidiStreamRequest<object, object>(
    method.path,
    method.requestSerialize,
    method.responseDeserialize,
  );
  return new Promise((resolve, reject) => {
    call.on('data', resolve);
    call.on('error', reject);
    call.end(request);
  });
}

async function registryOf(version: string, symbol: string) {
  const { fileDescriptorResponse: answer } = await ask(version, { fileContainingSymbol: symbol });
  const files = (answer?.fileDescriptorProto ?? []).map((bytes) =>
    fromBinary(FileDescriptorProtoSchema, bytes),
  );
  // A client asks for the imports that nothing refers to by name.
  const have = new Set(files.map(({ name }) => name));
  const missing = files.flatMap(({ dependency }) => dependency.filter((name) => !have.has(name)));
  for (const fileByFilename of new Set(missing)) {
    const more = await ask(version, { fileByFilename });
    for (const bytes of more.fileDescriptorResponse?.fileDescriptorProto ?? []) {
      const file = fromBinary(FileDescriptorProtoSchema, bytes);
      if (!have.has(file.name)) files.push(file);
      have.add(file.name);
    }
  }
  const inOrder = files.toSorted((a, b) => depth(a.name) - depth(b.name));
  return createFileRegistry(create(FileDescriptorSetSchema, { file: inOrder }));

  function depth(name: string): number {
    const file = files.find((each) => each.name === name);
    return 1 + Math.max(0, ...(file?.dependency ?? []).map(depth));
  }
}

describe.each(['v1', 'v1alpha'])('reflection %s', (version) => {
  test('lists every service and nothing else', async () => {
    const { listServicesResponse } = await ask(version, { listServices: '*' });
    expect(listServicesResponse?.service.map(({ name }) => name).toSorted()).toEqual(
      SERVICES.map(({ typeName }) => typeName).toSorted(),
    );
  });

  test('describes every service, method by method', async () => {
    for (const desc of SERVICES) {
      const registry = await registryOf(version, desc.typeName);
      const found = registry.getService(desc.typeName);
      expect(
        found?.methods.map(({ name, input, output }) => [name, input.typeName, output.typeName]),
      ).toEqual(desc.methods.map(({ name, input, output }) => [name, input.typeName, output.typeName]));
    }
  });

  test.each(['ErrorInfo', 'BadRequest', 'PreconditionFailure', 'ResourceInfo', 'RetryInfo', 'Status'])(
    'describes google.rpc.%s, which no method names',
    async (name) => {
      const registry = await registryOf(version, `google.rpc.${name}`);
      expect(registry.getMessage(`google.rpc.${name}`)).toBeDefined();
    },
  );

  test('does not know what is not there', async () => {
    const { errorResponse } = await ask(version, { fileContainingSymbol: 'quittance.Nobody' });
    expect(errorResponse?.errorCode).toBe(grpc.status.NOT_FOUND);
  });
});
