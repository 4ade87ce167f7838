/** Retries: the same command under the same request id is answered again, another command is refused. */
import { equals, type DescMessage } from '@bufbuild/protobuf';
import { ErrorReason } from '../../../gen/quittance/common/v1/error_reason_pb.js';
import { decodeCommand, requestSchema } from '../../../lib/log/canonical-body.js';
import { pointOf, type RecordedEvent } from '../../../lib/log/recorded-event.js';
import { CallError, fail } from '../../../lib/rpc/errors.js';
import { uuidFromBytes } from '../../../lib/base/uuid.js';
import type { AtomicJob, Decided, Outcome, Request, Result } from './job.js';
import { isSameBytes } from '../../../lib/base/bytes.js';

/** Looks up the events that the log has under a request's id. */
type StoredOf = (request: Request) => readonly RecordedEvent[] | undefined;

/** What a command is answered whose request id the log has: the result of then if it is the same, else REQUEST_ID_REUSED. */
export function replayRequest(request: Request, storedOf: StoredOf): Outcome {
  return replayOne(request, storedOf(request) ?? []);
}

/** The same for an atomic batch, which is the same if it has the same items in the same order. */
export function replayBatch(job: AtomicJob, storedOf: StoredOf): Result {
  const batchId = job.requests[0]?.command.requestId ?? '';
  const replayed: Decided[] = [];
  for (const [index, request] of job.requests.entries()) {
    const stored = storedOf(request);
    const batch = stored?.[0]?.event.batch;
    const isThisBatch =
      batch !== undefined &&
      uuidFromBytes(batch.batchId) === batchId &&
      batch.index === index &&
      batch.size === job.requests.length;
    if (stored === undefined || !isThisBatch) return overlap(job, index);
    const item = replayOne(request, stored);
    if (item instanceof CallError) return item;
    replayed.push(item);
  }
  return replayed;
}

function replayOne(request: Request, stored: readonly RecordedEvent[]): Decided | CallError {
  const first = stored[0];
  const last = stored.at(-1);
  if (first === undefined || last === undefined) throw new Error('a command has at least one event');
  if (!isSame(request, first)) return reused(request, first);
  return {
    events: stored.map(({ event }) => event),
    command: null,
    replayed: true,
    point: request.validateOnly ? null : pointOf(last),
  };
}

function overlap(job: AtomicJob, index: number): CallError {
  const requestId = job.requests[index]?.command.requestId ?? '';
  return fail(
    ErrorReason.REQUEST_ID_REUSED,
    `commands[${String(index)}]: the batch shares request ids with earlier commands, but is not a stored batch`,
    { resource: { type: 'request', name: requestId }, metadata: { index: String(index) } },
  );
}

function isSame(request: Request, { event }: RecordedEvent): boolean {
  return event.commandType === request.type && isSameBytes(event.canonicalBody, request.body);
}

/** ALREADY_EXISTS, naming the fields that differ. */
function reused(request: Request, { event }: RecordedEvent): CallError {
  const { requestId } = request.command;
  const differing =
    event.commandType === request.type && request.canonical !== null
      ? differingFields(requestSchema(request.canonical.case), request, event.canonicalBody)
      : ['command'];
  const fields = differing.map((field) => ({
    field,
    description:
      field === 'command' ? 'was another command' : 'differs from the command that has this request_id',
  }));
  return fail(
    ErrorReason.REQUEST_ID_REUSED,
    `request_id ${requestId} was used for another command; it differs in ${differing.join(', ')}`,
    { fields, resource: { type: 'request', name: requestId } },
  );
}

function differingFields(schema: DescMessage, request: Request, storedBody: Uint8Array): string[] {
  const differing = fieldsThatDiffer(
    schema,
    decodeCommand(request.type, storedBody).value,
    decodeCommand(request.type, request.body).value,
  );
  return differing.length === 0 ? ['command'] : differing;
}

/** The names of the fields in which two messages of a type differ. */
export function fieldsThatDiffer(schema: DescMessage, stored: object, given: object): string[] {
  return schema.fields
    .filter((field) => !sameValue(valueIn(stored, field), valueIn(given, field), field))
    .map(({ name }) => name);
}

/** Of a oneof only the field that it holds has a value. */
function valueIn(message: object, { oneof, localName }: DescMessage['fields'][number]): unknown {
  if (oneof === undefined) return Reflect.get(message, localName);
  const held: unknown = Reflect.get(message, oneof.localName);
  if (typeof held !== 'object' || held === null) return undefined;
  return Reflect.get(held, 'case') === localName ? Reflect.get(held, 'value') : undefined;
}

function sameValue(a: unknown, b: unknown, field: DescMessage['fields'][number]): boolean {
  if (field.fieldKind === 'message' && isMessage(a) && isMessage(b)) return equals(field.message, a, b);
  return canonicalText(a) === canonicalText(b);
}

function isMessage(value: unknown): value is Parameters<typeof equals>[1] {
  return typeof value === 'object' && value !== null && '$typeName' in value;
}

function canonicalText(value: unknown): string {
  if (value === undefined) return '';
  return JSON.stringify(value, (key, part: unknown) => {
    if (typeof part === 'bigint') return String(part);
    if (typeof part === 'object' && part !== null && !Array.isArray(part)) {
      return Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1)));
    }
    return part;
  });
}
