/** The rules of the contracts (protovalidate), and no unknown fields in commands. */
import { create, type DescField, type DescMessage, type Message } from '@bufbuild/protobuf';
import { createValidator, type Violation } from '@bufbuild/protovalidate';
import { ErrorReason } from '../../gen/quittance/common/v1/error_reason_pb.js';
import { compileRules, type Passes } from './compiled-rules.js';
import { type CallError, fail, type FieldProblem } from './errors.js';
import { inWords } from './patterns.js';
import { COMMANDS } from './proto-key.js';

const expressions = new Map<string, RegExp>();

/** The patterns are those of our own contracts, all linear: the library's RE2 in JavaScript costs ten times as much. */
function expressionOf(pattern: string): RegExp {
  let expression = expressions.get(pattern);
  if (expression === undefined) {
    expression = new RegExp(pattern, 'u');
    expressions.set(pattern, expression);
  }
  return expression;
}

const validator = createValidator({
  regexMatch: (pattern, against) => expressionOf(pattern).test(against),
});
/** By type; `never` for a type with a rule that is not compiled. */
const compiled = new WeakMap<DescMessage, Passes>();
const never: Passes = () => false;
/** More than these are not listed: a message of 4 MiB may break a rule a million times. */
const PROBLEMS_MAX = 20;

/** Compiles the rules of these messages, and of what they hold. */
export function warmValidators(schemas: readonly DescMessage[]): void {
  for (const schema of schemas) {
    warm(schema, new Set());
  }
}

function warm(schema: DescMessage, seen: Set<string>): void {
  if (seen.has(schema.typeName)) return;
  seen.add(schema.typeName);
  passesOf(schema);
  validator.validate(schema, create(schema));
  for (const field of schema.fields) {
    if (field.message !== undefined) warm(field.message, seen);
  }
}

/**
 * Checks a request by the rules of its contract, and a command for fields that this version does not know.
 * @throws CallError INVALID_FIELD or UNKNOWN_FIELD
 */
export function checkMessage(schema: DescMessage, message: Message): void {
  if (passesOf(schema)(message)) return;
  if (schema.typeName.startsWith(COMMANDS)) {
    const unknown = unknownFields(schema, message);
    if (unknown.length > 0) throw unknownField(unknown);
  }
  const result = validator.validate(schema, message);
  switch (result.kind) {
    case 'valid':
      return;
    case 'invalid':
      throw invalid(result.violations);
    case 'error':
      throw result.error;
  }
}

/** What says of most messages that they are right, without the library. */
function passesOf(schema: DescMessage): Passes {
  let passes = compiled.get(schema);
  if (passes === undefined) {
    passes = compileRules(schema, schema.typeName.startsWith(COMMANDS), expressionOf) ?? never;
    compiled.set(schema, passes);
  }
  return passes;
}

function invalid(violations: readonly Violation[]): CallError {
  const fields = violations.slice(0, PROBLEMS_MAX).map((violation): FieldProblem => {
    const field = pathText(violation);
    return { field, description: inWords(violation.message), rule: violation.ruleId };
  });
  const first = fields[0];
  const message =
    first === undefined ? 'invalid' : `${first.field === '' ? '' : `${first.field}: `}${first.description}`;
  return fail(ErrorReason.INVALID_FIELD, message, { fields });
}

/** `entries[0].amount.minor_units` */
function pathText({ field }: Violation): string {
  let text = '';
  for (const part of field) {
    switch (part.kind) {
      case 'field':
      case 'oneof':
        text += `${text === '' ? '' : '.'}${part.name}`;
        break;
      case 'list_sub':
        text += `[${String(part.index)}]`;
        break;
      case 'map_sub':
        text += `[${JSON.stringify(String(part.key))}]`;
        break;
      case 'extension':
        text += `[${part.typeName}]`;
    }
  }
  return text;
}

function unknownField(paths: readonly string[]): CallError {
  const fields = paths.slice(0, PROBLEMS_MAX).map((field) => ({
    field,
    description: 'is not a field that this server knows',
  }));
  return fail(
    ErrorReason.UNKNOWN_FIELD,
    `unknown field ${paths[0] ?? ''}: commands are refused rather than half understood`,
    {
      fields,
    },
  );
}

/** The paths of fields that the message carries and the schema does not know, at any depth; by number, as the wire has them. */
function unknownFields(schema: DescMessage, message: Message): string[] {
  const found: string[] = [];
  collect(schema, message, '', found);
  return found;
}

function collect(schema: DescMessage, message: Message, path: string, found: string[]): void {
  // A message of 4 MiB may hold a million, and no more are listed.
  if (found.length >= PROBLEMS_MAX) return;
  for (const { no } of message.$unknown?.slice(0, PROBLEMS_MAX) ?? []) found.push(`${path}${String(no)}`);
  for (const member of schema.members) {
    if (member.kind === 'oneof') {
      const chosen: unknown = Reflect.get(message, member.localName);
      if (typeof chosen !== 'object' || chosen === null) continue;
      const name: unknown = Reflect.get(chosen, 'case');
      const field = member.fields.find(({ localName }) => localName === name);
      if (field?.message !== undefined) descend(field, Reflect.get(chosen, 'value'), path, found);
    } else if (member.message !== undefined) {
      descend(member, Reflect.get(message, member.localName), path, found);
    }
  }
}

function descend(field: DescField, value: unknown, path: string, found: string[]): void {
  const schema = field.message;
  if (schema === undefined || typeof value !== 'object' || value === null) return;
  const at = `${path}${field.name}`;
  switch (field.fieldKind) {
    case 'list':
      (value as Message[]).forEach((item, index) => {
        collect(schema, item, `${at}[${String(index)}].`, found);
      });
      return;
    case 'map':
      for (const [key, item] of Object.entries(value as Record<string, Message>)) {
        collect(schema, item, `${at}["${key}"].`, found);
      }
      return;
    default:
      collect(schema, value as Message, `${at}.`, found);
  }
}
