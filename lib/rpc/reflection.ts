/** Server reflection (v1 and v1alpha), so that grpcurl, buf curl and others call us without our files. */
import { type DescFile, toBinary } from '@bufbuild/protobuf';
import { FileDescriptorProtoSchema } from '@bufbuild/protobuf/wkt';
import type { Server } from '@grpc/grpc-js';
import { ReflectionService } from '@grpc/reflection';
import { file_google_rpc_error_details } from '../../gen/google/rpc/error_details_pb.js';
import { file_google_rpc_status } from '../../gen/google/rpc/status_pb.js';
import type { Service } from './service.js';

/** Mounts reflection on these services and all types they reach, and on the types of our error details. */
export function addReflection(server: Pick<Server, 'addService'>, services: readonly Service[]): void {
  const files = new Map<string, DescFile>();
  // No method names the error details: they travel in Any, and a client looks them up to print them.
  for (const file of [file_google_rpc_status, file_google_rpc_error_details]) collect(file, files);
  for (const { desc } of services) collect(desc.file, files);
  const fileDescriptorProtos = [...files.values()].map(({ proto }) =>
    Buffer.from(toBinary(FileDescriptorProtoSchema, proto)),
  );
  // The library reads nothing of a package definition but the files of its entries; an enum is the smallest entry.
  const entry = {
    format: 'Protocol Buffer 3 EnumDescriptorProto' as const,
    type: {},
    fileDescriptorProtos,
  };
  const reflection = new ReflectionService(
    { files: entry },
    { services: services.map(({ desc }) => desc.typeName) },
  );
  reflection.addToServer(server);
}

/** The file and what it imports, at any depth. */
function collect(file: DescFile, into: Map<string, DescFile>): void {
  if (into.has(file.proto.name)) return;
  into.set(file.proto.name, file);
  for (const dependency of file.dependencies) collect(dependency, into);
}
