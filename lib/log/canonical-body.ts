/**
 * The canonical body of a command: the request in deterministic binary form without request_id, validate_only and
 * output-only fields. The event at ordinal 0 carries it, so that a later command under the same id can be told from a retry,
 * field by field.
 */
import { create, type DescMessage } from '@bufbuild/protobuf';
import * as transactions from '../../gen/quittance/command/v1/transaction_command_service_pb.js';
import { CommandType, type Event } from '../../gen/quittance/event/v1/event_pb.js';
import { decodeMessage, encodeMessage } from '../base/codec/binary.js';
import { withoutOutputOnly } from './output-only.js';

/** A command as the API takes it, each case with its request message. */
export type CommandCase = Exclude<transactions.Command['command'], { case: undefined }>;

/** A kind of command: a field of the message Command, and the value of CommandType that has the same name. */
interface KnownCommand {
  /** The case of CommandCase. */
  readonly name: string;
  readonly type: CommandType;
  readonly schema: DescMessage;
}

/** CommandType by the names of its values, as in SUBMIT_PAYMENT. */
const TYPES: ReadonlyMap<string, CommandType> = new Map(
  Object.entries(CommandType).flatMap(([name, type]) => (typeof type === 'number' ? [[name, type]] : [])),
);
const KNOWN: readonly KnownCommand[] = transactions.CommandSchema.fields.map((field) => {
  const name = field.name.toUpperCase();
  const type = TYPES.get(name);
  if (type === undefined || field.message === undefined) throw new Error(`CommandType has no ${name}`);
  return { name: field.localName, type, schema: field.message };
});
const BY_NAME: ReadonlyMap<string, KnownCommand> = new Map(KNOWN.map((known) => [known.name, known]));
const BY_TYPE: ReadonlyMap<CommandType, KnownCommand> = new Map(KNOWN.map((known) => [known.type, known]));

function knownCommand(name: CommandCase['case']): KnownCommand {
  const known = BY_NAME.get(name);
  if (known === undefined) throw new Error(`the message Command has no ${name}`);
  return known;
}

/** The message schema of a case. */
export function requestSchema(name: CommandCase['case']): DescMessage {
  return knownCommand(name).schema;
}

/** The number under which the log knows a case. */
export function commandTypeOf(name: CommandCase['case']): CommandType {
  return knownCommand(name).type;
}

/**
 * A copy of a request without request_id, validate_only and output-only fields, its map entries sorted by key: what the
 * canonical body says, and what is decoded from it later. No default is filled in. The request itself stays as it is.
 */
export function canonicalCommand(command: CommandCase): CommandCase {
  const value = { ...command.value, requestId: '', validateOnly: false };
  if ('metadata' in value) value.metadata = sortedByKey(value.metadata);
  return Object.assign({ ...command }, { value: withoutOutputOnly(requestSchema(command.case), value) });
}

/** The canonical body of a request as it was given. */
export function canonicalBody(command: CommandCase): Uint8Array {
  return encodeCommand(canonicalCommand(command));
}

/** The bytes of a command in canonical form. */
export function encodeCommand(canonical: CommandCase): Uint8Array {
  return encodeMessage(requestSchema(canonical.case), canonical.value);
}

/** protobuf-es writes map entries in insertion order; `metadata` is the only map that commands have. */
function sortedByKey(entries: Readonly<Record<string, string>>): Record<string, string> {
  const keys = Object.keys(entries);
  if (keys.length < 2) return entries;
  return Object.fromEntries(keys.sort().map((key) => [key, entries[key] ?? '']));
}

/** The command of an event, without request_id; undefined where the event has none. @throws Error on an unknown type. */
export function commandOf(event: Event): CommandCase | undefined {
  if (event.commandType === CommandType.UNSPECIFIED) return undefined;
  return decodeCommand(event.commandType, event.canonicalBody);
}

/** Decodes a canonical body. @throws Error on an unknown type. */
export function decodeCommand(type: CommandType, body: Uint8Array): CommandCase {
  const found = BY_TYPE.get(type);
  if (found === undefined) throw new Error(`unknown command type ${String(type)}`);
  // The table pairs each case with its own schema, which the compiler cannot follow through a map.
  return { case: found.name, value: decodeMessage(found.schema, body) } as CommandCase;
}

/** The case as the message that holds it. */
export function commandMessage(command: CommandCase): transactions.Command {
  return create(transactions.CommandSchema, { command });
}
