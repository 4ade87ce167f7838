/** What a caller of the API can read from a failed call. */
import { fromBinary } from '@bufbuild/protobuf';
import { anyUnpack } from '@bufbuild/protobuf/wkt';
import type { ServiceError } from '@grpc/grpc-js';
import { ErrorInfoSchema, BadRequestSchema } from '../../gen/google/rpc/error_details_pb.js';
import { type Status, StatusSchema } from '../../gen/google/rpc/status_pb.js';

/** An error as the server described it. */
export interface ServerError {
  /** A name of common.v1.ErrorReason without its prefix; empty if the server gave none (a proxy, a lost connection). */
  readonly reason: string;
  /** The gRPC code. */
  readonly code: number;
  readonly message: string;
  /** The paths of the fields concerned. */
  readonly fields: readonly string[];
}

/** Reads a google.rpc.Status, as the results of batches and streams carry it. */
export function serverErrorOf(status: Status): ServerError {
  let reason = '';
  const fields: string[] = [];
  for (const detail of status.details) {
    reason = anyUnpack(detail, ErrorInfoSchema)?.reason ?? reason;
    fields.push(...(anyUnpack(detail, BadRequestSchema)?.fieldViolations ?? []).map(({ field }) => field));
  }
  return { reason, code: status.code, message: status.message, fields };
}

/** Reads the error of a failed gRPC call. Anything that is no gRPC error is thrown again. */
export function callErrorOf(error: unknown): ServerError {
  if (!isServiceError(error)) throw error;
  const details = error.metadata.get('grpc-status-details-bin')[0];
  if (details instanceof Uint8Array) {
    const read = serverErrorOf(fromBinary(StatusSchema, details));
    if (read.reason !== '') return read;
  }
  return { reason: '', code: error.code, message: error.details, fields: [] };
}

/** One line for people. */
export function describe(error: ServerError): string {
  const name = error.reason === '' ? `gRPC code ${error.code}` : error.reason;
  const fields = error.fields.length === 0 ? '' : ` (${error.fields.join(', ')})`;
  return `${name}: ${error.message}${fields}`;
}

function isServiceError(error: unknown): error is ServiceError {
  return error instanceof Error && 'metadata' in error && 'code' in error && 'details' in error;
}
