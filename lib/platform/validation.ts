import type { DescMessage, Message } from '@bufbuild/protobuf';
import { createValidator } from '@bufbuild/protovalidate';
import { ErrorReason } from '../../gen/quittance/common/v1/error_reason_pb.js';
import { fail } from './errors.js';

const validator = createValidator();

/** @throws CallError INVALID_FIELD */
export function checkMessage(schema: DescMessage, message: Message): void {
  const result = validator.validate(schema, message);
  if (result.kind === 'valid') return;
  throw fail(ErrorReason.INVALID_FIELD, result.error?.message ?? 'invalid', {});
}
