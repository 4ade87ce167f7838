/** Our errors as connect-es sends them. */
import { createRegistry } from '@bufbuild/protobuf';
import { anyUnpack } from '@bufbuild/protobuf/wkt';
import { ConnectError } from '@connectrpc/connect';
import { codeToHttpStatus, errorToJsonBytes } from '@connectrpc/connect/protocol-connect';
import { file_google_rpc_error_details } from '../../../gen/google/rpc/error_details_pb.js';
import { type CallError, toStatus } from '../errors.js';
import { sendBytes } from './pages.js';
import type { WebResponse } from './web-port.js';

/** The types that travel in Any: without them no google.rpc.Status could be written as JSON. */
export const anyTypes = createRegistry(file_google_rpc_error_details);

/** The error with its details; its cause stays here. */
export function connectError(failure: CallError): ConnectError {
  const { message, details } = toStatus(failure);
  const outgoing = details.flatMap((detail) => {
    const value = anyUnpack(detail, anyTypes);
    const desc = value === undefined ? undefined : anyTypes.getMessage(value.$typeName);
    return value === undefined || desc === undefined ? [] : [{ desc, value }];
  });
  return new ConnectError(message, failure.code, undefined, outgoing);
}

/** The error as the body of a unary answer of the Connect protocol. */
export function errorJson(failure: CallError): Uint8Array {
  return errorToJsonBytes(connectError(failure), { registry: anyTypes });
}

/** Answers a request that is no call of any protocol. Without a status: that of the error's code. */
export function sendPlainError(response: WebResponse, failure: CallError, status?: number): void {
  sendBytes(response, status ?? codeToHttpStatus(failure.code), errorJson(failure), 'application/json');
}
