/** Our errors as grpc-js sends them. */
import { toBinary } from '@bufbuild/protobuf';
import { Code } from '@connectrpc/connect';
import * as grpc from '@grpc/grpc-js';
import { StatusSchema } from '../../../gen/google/rpc/status_pb.js';
import { toCallError, toStatus } from '../errors.js';

/** The trailer that carries google.rpc.Status. */
export const DETAILS = 'grpc-status-details-bin';

/** Connect's codes are gRPC's, by other names. */
const GRPC_STATUS: Readonly<Record<Code, grpc.status>> = {
  [Code.Canceled]: grpc.status.CANCELLED,
  [Code.Unknown]: grpc.status.UNKNOWN,
  [Code.InvalidArgument]: grpc.status.INVALID_ARGUMENT,
  [Code.DeadlineExceeded]: grpc.status.DEADLINE_EXCEEDED,
  [Code.NotFound]: grpc.status.NOT_FOUND,
  [Code.AlreadyExists]: grpc.status.ALREADY_EXISTS,
  [Code.PermissionDenied]: grpc.status.PERMISSION_DENIED,
  [Code.ResourceExhausted]: grpc.status.RESOURCE_EXHAUSTED,
  [Code.FailedPrecondition]: grpc.status.FAILED_PRECONDITION,
  [Code.Aborted]: grpc.status.ABORTED,
  [Code.OutOfRange]: grpc.status.OUT_OF_RANGE,
  [Code.Unimplemented]: grpc.status.UNIMPLEMENTED,
  [Code.Internal]: grpc.status.INTERNAL,
  [Code.Unavailable]: grpc.status.UNAVAILABLE,
  [Code.DataLoss]: grpc.status.DATA_LOSS,
  [Code.Unauthenticated]: grpc.status.UNAUTHENTICATED,
};

/** The status of anything thrown, with its details. */
export function statusOf(error: unknown): grpc.ServiceError {
  const failure = toCallError(error);
  const status = toStatus(failure);
  const metadata = new grpc.Metadata();
  metadata.set(DETAILS, Buffer.from(toBinary(StatusSchema, status)));
  return Object.assign(new Error(status.message), {
    code: GRPC_STATUS[failure.code],
    details: status.message,
    metadata,
  });
}
