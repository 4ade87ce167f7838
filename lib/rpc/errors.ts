/** The errors of the API: thrown as CallError, sent as google.rpc.Status with exactly one ErrorInfo. */
import { Buffer } from 'node:buffer';
import { create, type DescMessage, type MessageShape } from '@bufbuild/protobuf';
import { anyIs, anyPack, type Any, anyUnpack, DurationSchema } from '@bufbuild/protobuf/wkt';
import { Code } from '@connectrpc/connect';
import {
  type BadRequest_FieldViolation,
  BadRequestSchema,
  ErrorInfoSchema,
  PreconditionFailureSchema,
  type ResourceInfo,
  ResourceInfoSchema,
  RetryInfoSchema,
} from '../../gen/google/rpc/error_details_pb.js';
import { type Status, StatusSchema } from '../../gen/google/rpc/status_pb.js';
import { ErrorReason } from '../../gen/quittance/common/v1/error_reason_pb.js';
import { StoreUnavailable } from '../base/store-unavailable.js';
import { ViewAbsent } from '../base/view-absent.js';
import { ERROR_CATALOGUE } from './error-catalogue.js';

/** The domain of every ErrorInfo we send. */
export const ERROR_DOMAIN = 'quittance';

/** One field that breaks a rule: its path as in the contract (`entries[0].amount.minor_units`), what is wrong, the rule's id. */
export interface FieldProblem {
  readonly field: string;
  readonly description: string;
  readonly rule?: string;
}

/** The thing that an error speaks of, as `{type: 'account', name: 'alice'}`. */
export interface ResourceName {
  readonly type: string;
  readonly name: string;
}

/** One condition that the present state does not meet. */
export interface PreconditionProblem {
  readonly type: string;
  readonly subject: string;
  readonly description: string;
}

/** What an error tells its caller beyond reason and text. */
export interface ErrorDetails {
  readonly fields?: readonly FieldProblem[];
  readonly resource?: ResourceName;
  readonly precondition?: readonly PreconditionProblem[];
  readonly metadata?: Readonly<Record<string, string>>;
}

/** What `fail` takes besides reason and text. */
export interface FailOptions extends ErrorDetails {
  /** When to try again; the catalogue has a default for the reasons that carry RetryInfo. */
  readonly retryAfter_ms?: number;
  /** What went wrong underneath: for the log, never sent. */
  readonly cause?: unknown;
  /** Overrules the catalogue, for the few reasons with two codes. */
  readonly code?: Code;
}

/** An error of the API. Its message, reason and details reach the caller; its cause and stack reach the log only. */
export class CallError extends Error {
  override readonly name = 'CallError';

  constructor(
    readonly reason: ErrorReason,
    readonly code: Code,
    message: string,
    readonly details: ErrorDetails,
    readonly retryAfter_ms: number | undefined,
    cause: unknown,
  ) {
    super(message, cause === undefined ? undefined : { cause });
  }
}

/** Builds an error of the API; the caller throws it. The message is for people and must hold no amounts of money. */
export function fail(reason: ErrorReason, message: string, opts: FailOptions = {}): CallError {
  const { retryAfter_ms, cause, code, ...details } = opts;
  const entry = ERROR_CATALOGUE[reason];
  return new CallError(
    reason,
    code ?? entry.code,
    message,
    details,
    retryAfter_ms ?? entry.retryAfter_ms,
    cause,
  );
}

/** The error that a caller gets for anything thrown: a CallError as it is, anything else INTERNAL with it as the cause. */
export function toCallError(error: unknown): CallError {
  if (error instanceof CallError) return error;
  // Node's own APIs wrap the reason of an aborted signal into an AbortError; ours is the reason underneath.
  if (error instanceof Error && error.name === 'AbortError' && error.cause instanceof CallError)
    return error.cause;
  if (error instanceof StoreUnavailable) {
    return fail(ErrorReason.DEPENDENCY_UNAVAILABLE, 'a store that the call needs does not answer', {
      cause: error,
    });
  }
  if (error instanceof ViewAbsent) return fail(ErrorReason.NOT_SERVING, error.message, { cause: error });
  return fail(ErrorReason.INTERNAL, 'internal error; the server log has more under the trace id', {
    cause: error,
  });
}

/** Texts are sent up to here: what a caller wrote may be in them, and a status travels in a header of a few KiB. */
const TEXT_MAX_CHARS = 400;
const FIELDS_MAX_CHARS = 3_000;
/** The same where a thousand errors stand in one answer. */
const BRIEF_MAX_CHARS = 100;

/** A text as it can be sent. Half a surrogate pair, of the caller or of the cut, becomes U+FFFD: grpc-js throws on it. */
function sendable(text: string): string {
  const cut = text.length > TEXT_MAX_CHARS ? `${text.slice(0, TEXT_MAX_CHARS)}…` : text;
  return Buffer.from(cut).toString();
}

/** As many as there is room for, the first in any case. */
function sendableFields(fields: readonly FieldProblem[]) {
  let left_chars = FIELDS_MAX_CHARS;
  const sent = [];
  for (const { field, description, rule } of fields) {
    const violation = { field: sendable(field), description: sendable(description) };
    left_chars -= violation.field.length + violation.description.length;
    if (left_chars < 0) break;
    sent.push({ ...violation, reason: rule === undefined ? '' : ruleName(rule) });
  }
  return sent;
}

/** The name of a reason as ErrorInfo carries it, without the prefix of the enum. */
export function reasonName(reason: ErrorReason): string {
  return ErrorReason[reason];
}

/** The google.rpc.Status of anything thrown. No driver's text, SQL or stack is in it, and it fits into a header. */
export function toStatus(error: unknown): Status {
  const failure = toCallError(error);
  const details: Any[] = [];
  const add = <D extends DescMessage>(schema: D, value: MessageShape<D>) =>
    details.push(anyPack(schema, value));
  const { fields, resource, precondition, metadata } = failure.details;
  add(
    ErrorInfoSchema,
    create(ErrorInfoSchema, {
      reason: reasonName(failure.reason),
      domain: ERROR_DOMAIN,
      metadata: Object.fromEntries(
        Object.entries(metadata ?? {}).map(([key, value]) => [key, sendable(value)]),
      ),
    }),
  );
  if (fields !== undefined && fields.length > 0) {
    add(BadRequestSchema, create(BadRequestSchema, { fieldViolations: sendableFields(fields) }));
  }
  if (precondition !== undefined && precondition.length > 0) {
    const violations = precondition.map(({ type, subject, description }) => ({
      type,
      subject: sendable(subject),
      description: sendable(description),
    }));
    add(PreconditionFailureSchema, create(PreconditionFailureSchema, { violations }));
  }
  if (resource !== undefined) {
    const { type: resourceType, name } = resource;
    add(ResourceInfoSchema, create(ResourceInfoSchema, { resourceType, resourceName: sendable(name) }));
  }
  if (failure.retryAfter_ms !== undefined) {
    add(RetryInfoSchema, create(RetryInfoSchema, { retryDelay: durationOf(failure.retryAfter_ms) }));
  }
  return create(StatusSchema, { code: failure.code, message: sendable(failure.message), details });
}

/**
 * The error that another process of ours has sent, for `toStatus` to send again as it was. Undefined if the status is not one
 * of ours, such as one that a library made of a broken connection.
 */
export function callErrorOf({ code, message, details }: Status): CallError | undefined {
  const info = unpacked(details, ErrorInfoSchema);
  const reason = info?.domain === ERROR_DOMAIN ? REASONS.get(info.reason) : undefined;
  const known = CODES.get(code);
  if (info === undefined || reason === undefined || known === undefined) return undefined;
  const fields = unpacked(details, BadRequestSchema)?.fieldViolations;
  const violations = unpacked(details, PreconditionFailureSchema)?.violations;
  const resource = unpacked(details, ResourceInfoSchema);
  const delay = unpacked(details, RetryInfoSchema)?.retryDelay;
  const told: ErrorDetails = {
    metadata: info.metadata,
    ...(fields === undefined ? {} : { fields: fields.map(fieldProblemOf) }),
    ...(violations === undefined ? {} : { precondition: violations }),
    ...(resource === undefined ? {} : { resource: resourceNameOf(resource) }),
  };
  const retryAfter_ms =
    delay === undefined ? undefined : Number(delay.seconds) * 1_000 + Math.round(delay.nanos / 1e6);
  return new CallError(reason, known, message, told, retryAfter_ms, undefined);
}

function unpacked<D extends DescMessage>(details: readonly Any[], schema: D): MessageShape<D> | undefined {
  const found = details.find((detail) => anyIs(detail, schema));
  return found === undefined ? undefined : anyUnpack(found, schema);
}

const REASONS = new Map(
  Object.values(ErrorReason)
    .filter((reason) => typeof reason === 'number')
    .map((reason) => [reasonName(reason), reason]),
);
const CODES = new Map<number, Code>(
  Object.values(Code)
    .filter((code) => typeof code === 'number')
    .map((code) => [code, code]),
);

function fieldProblemOf({ field, description, reason }: BadRequest_FieldViolation): FieldProblem {
  return reason === '' ? { field, description } : { field, description, rule: reason };
}

function resourceNameOf({ resourceType: type, resourceName: name }: ResourceInfo): ResourceName {
  return { type, name };
}

/**
 * The same in at most a KiB in each encoding, for an answer that holds many of them: code, reason, the beginning of the
 * message, and when to try again.
 */
export function abbreviatedStatus(error: unknown): Status {
  const { reason, code, message, retryAfter_ms } = toCallError(error);
  const brief = message.length > BRIEF_MAX_CHARS ? `${message.slice(0, BRIEF_MAX_CHARS)}…` : message;
  return toStatus(new CallError(reason, code, brief, {}, retryAfter_ms, undefined));
}

/** google.rpc wants reasons in UPPER_SNAKE_CASE; protovalidate's rule ids read `string.min_len`. */
function ruleName(rule: string): string {
  return rule.replaceAll(/[^A-Za-z0-9]+/g, '_').toUpperCase();
}

function durationOf(duration_ms: number) {
  const whole_ms = Math.max(0, Math.round(duration_ms));
  return create(DurationSchema, {
    seconds: BigInt(Math.floor(whole_ms / 1000)),
    nanos: (whole_ms % 1000) * 1_000_000,
  });
}
