/** What a failed call says, in a sentence and with its documented reason. */
import { ConnectError } from '@connectrpc/connect';
import { BadRequestSchema, ErrorInfoSchema } from '../../../../gen/google/rpc/error_details_pb.js';

export interface Failure {
  /** Of docs/errors.md; empty if the server did not say. */
  readonly reason: string;
  readonly message: string;
  /** Field and what is wrong with it. */
  readonly fields: readonly string[];
}

export function failureOf(error: unknown): Failure {
  const failure = ConnectError.from(error);
  const [info] = failure.findDetails(ErrorInfoSchema);
  const fields = failure
    .findDetails(BadRequestSchema)
    .flatMap(({ fieldViolations }) =>
      fieldViolations.map(({ field, description }) => `${field}: ${description}`),
    );
  return { reason: info?.reason ?? '', message: failure.rawMessage, fields };
}
