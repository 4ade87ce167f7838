/** How rows of one kind are shown: the columns, the id and the JSON. */
import {
  createRegistry,
  type DescMessage,
  type JsonValue,
  type MessageShape,
  toJson,
} from '@bufbuild/protobuf';
import {
  BadRequestSchema,
  ErrorInfoSchema,
  PreconditionFailureSchema,
  ResourceInfoSchema,
  RetryInfoSchema,
} from '../../gen/google/rpc/error_details_pb.js';

export interface Column<T> {
  readonly name: string;
  /** The exact text, as CSV has it. */
  readonly of: (row: T) => string;
  /** What a table has in its place, where the exact text is long. */
  readonly brief?: (row: T) => string;
  /** Only `wide`, `csv`, `--columns` and the sheet of a single row show it. */
  readonly isWide?: boolean;
  /** Numbers stand at the right. */
  readonly isRight?: boolean;
}

export interface Sheet<T> {
  readonly columns: readonly Column<T>[];
  /** What `-o id` prints. */
  readonly id: (row: T) => string;
  readonly json: (row: T) => JsonValue;
}

/** Details of errors stand in the results of batches. */
const REGISTRY = createRegistry(
  BadRequestSchema,
  ErrorInfoSchema,
  PreconditionFailureSchema,
  ResourceInfoSchema,
  RetryInfoSchema,
);

/** A message in proto3 JSON, as the Connect door answers it: zeros and empty lists too. */
export function jsonOf<D extends DescMessage>(schema: D, message: MessageShape<D>): JsonValue {
  return toJson(schema, message, { alwaysEmitImplicit: true, registry: REGISTRY });
}
