/** What a caller of the API can read from a failed call. */
import { fromBinary } from '@bufbuild/protobuf';
import { anyUnpack } from '@bufbuild/protobuf/wkt';
import { type ServiceError, status } from '@grpc/grpc-js';
import { ErrorInfoSchema, BadRequestSchema } from '../../gen/google/rpc/error_details_pb.js';
import { type Status, StatusSchema } from '../../gen/google/rpc/status_pb.js';

// google.rpc.Status carries codes as plain numbers.
const UNAVAILABLE: number = status.UNAVAILABLE;
const UNIMPLEMENTED: number = status.UNIMPLEMENTED;
const DEADLINE_EXCEEDED: number = status.DEADLINE_EXCEEDED;

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
export function serverErrorOf({ code, message, details }: Status): ServerError {
  let reason = '';
  const fields: string[] = [];
  for (const detail of details) {
    reason = anyUnpack(detail, ErrorInfoSchema)?.reason ?? reason;
    fields.push(...(anyUnpack(detail, BadRequestSchema)?.fieldViolations ?? []).map(({ field }) => field));
  }
  return { reason, code, message, fields };
}

/** Reads the error of a failed gRPC call. Anything that is no gRPC error is thrown again. */
export function callErrorOf(error: unknown): ServerError {
  if (!isCallError(error)) throw error;
  const details = error.metadata.get('grpc-status-details-bin')[0];
  if (details instanceof Uint8Array) {
    const read = serverErrorOf(fromBinary(StatusSchema, details));
    if (read.reason !== '') return read;
  }
  return { reason: '', code: error.code, message: error.details, fields: [] };
}

/** One line for people. */
export function describe(error: ServerError): string {
  const name = error.reason === '' ? (status[error.code] ?? `code ${String(error.code)}`) : error.reason;
  const fields = error.fields.length === 0 ? '' : ` (${error.fields.join(', ')})`;
  return `${name}: ${error.message}${fields}`;
}

/**
 * A failed call as a sentence for people: which address, what happened, what to do. Text of the gRPC library is never shown.
 * Anything that is no failed call is thrown again.
 */
export function sentenceOfCall(error: unknown, address: string): string {
  const read = callErrorOf(error);
  if (read.reason !== '') return `the server at ${address} refused: ${describe(read)}`;
  const { code, message } = read;
  const isRefused = message.includes('ECONNREFUSED') || message.includes('ENOENT');
  if (/Name resolution failed|ENOTFOUND|EAI_AGAIN/.test(message))
    return `the host of ${address} is not known here; check --address`;
  if (code === UNAVAILABLE && isRefused)
    return `nothing listens at ${address}; start the server with npm start, or give the address of one that runs`;
  if (speaksOtherProtocol(code, message))
    return `what listens at ${address} does not speak gRPC; the gRPC port of Quittance is 50051 unless QUITTANCE_GRPC_PORT says otherwise, and 8081 is Connect's`;
  if (code === DEADLINE_EXCEEDED)
    return `the server at ${address} did not answer in time; is it still starting, or stopped with Ctrl-Z?`;
  if (code === UNAVAILABLE)
    return `the connection to ${address} was lost; is the server still running there?`;
  return `the server at ${address} answered ${status[code] ?? String(code)} without a reason; is it Quittance?`;
}

/** An HTTP/1.1 server answers the preface of HTTP/2 with bytes that are no frames. */
function speaksOtherProtocol(code: number, message: string): boolean {
  if (/Protocol error|HTTP status code|HTTP\/2 error|Received RST_STREAM/.test(message)) return true;
  return code === UNIMPLEMENTED;
}

/** Whether a call failed, as against a defect of ours. */
export function isCallError(error: unknown): error is ServiceError {
  return error instanceof Error && 'metadata' in error && 'code' in error && 'details' in error;
}
