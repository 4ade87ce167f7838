/**
 * The rules of the contracts as straight code that says only yes or no. A message that passes breaks no rule; of one that does
 * not, protovalidate finds out what it breaks, if anything. So an error is always worded by the library, and what nearly every
 * message is, right, costs a fiftieth of what the library takes to say so.
 */
import {
  type DescField,
  type DescMessage,
  getOption,
  isFieldSet,
  type Message,
  ScalarType,
} from '@bufbuild/protobuf';
import { FeatureSet_FieldPresence } from '@bufbuild/protobuf/wkt';
import {
  field as fieldOption,
  type FieldRules,
  FieldRulesSchema,
  Ignore,
  message as messageOption,
  oneof as oneofOption,
} from '../../gen/buf/validate/validate_pb.js';
import { compileSource } from '../base/compile.js';

/** Whether a message certainly keeps all rules. */
export type Passes = (message: Message) => boolean;

/** What a function looks at. */
interface Scope {
  /** The rules, beside unknown fields. */
  readonly hasRules: boolean;
  /** Whether fields that this version does not know make a message fail. */
  readonly refusesUnknown: boolean;
}

/** Thrown for a rule that is not compiled: protovalidate checks messages of such a type. */
class NotCompiled extends Error {
  override readonly name = 'NotCompiled';
}

/** CEL expressions of the contracts, as JavaScript on the value `v`. */
const EXPRESSIONS: ReadonlyMap<string, string> = new Map([
  ['this.payer_account_id != this.payee_account_id', 'v.payerAccountId !== v.payeeAccountId'],
  [
    'this.minor_units >= 1 && this.minor_units <= 999999999999999999',
    'v.minorUnits >= 1n && v.minorUnits <= 999999999999999999n',
  ],
  ['this.paths.size() > 0', 'v.paths.length > 0'],
]);

/**
 * A function for messages of a type; undefined if the type has a rule that is not compiled, or contains itself.
 * `matches` says whether a text matches a pattern, as protovalidate is told.
 */
export function compileRules(
  schema: DescMessage,
  refusesUnknown: boolean,
  expressionOf: (pattern: string) => RegExp,
): Passes | undefined {
  try {
    return new Compiler(expressionOf).passes(schema, { hasRules: true, refusesUnknown });
  } catch (error) {
    if (error instanceof NotCompiled) return undefined;
    throw error;
  }
}

class Compiler {
  readonly #expressionOf: (pattern: string) => RegExp;
  readonly #underWay = new Set<DescMessage>();

  constructor(expressionOf: (pattern: string) => RegExp) {
    this.#expressionOf = expressionOf;
  }

  /** @throws NotCompiled */
  passes(schema: DescMessage, scope: Scope): Passes {
    if (this.#underWay.has(schema)) throw new NotCompiled();
    this.#underWay.add(schema);
    const constants: Record<string, unknown> = {};
    const named = (value: unknown): string => {
      const name = `c${String(Object.keys(constants).length)}`;
      constants[name] = value;
      return name;
    };
    const tests = this.#testsOf(schema, scope, named);
    this.#underWay.delete(schema);
    const body = `return function(m) { return ${tests.length === 0 ? 'true' : tests.join(' &&\n')}; };`;
    // The text is a function of one message that returns what its tests come to.
    return compileSource(constants, body) as Passes;
  }

  #testsOf(schema: DescMessage, scope: Scope, named: (value: unknown) => string): string[] {
    const tests = scope.refusesUnknown ? ['m.$unknown === undefined'] : [];
    for (const field of schema.fields) tests.push(...this.#fieldTests(field, scope, named));
    if (!scope.hasRules) return tests;
    const rules = getOption(schema, messageOption);
    if (rules.oneof.length > 0 || rules.celExpression.length > 0 || rules.$unknown !== undefined) {
      throw new NotCompiled();
    }
    for (const { expression } of rules.cel) tests.push(`(v => ${expressionText(expression)})(m)`);
    for (const oneof of schema.oneofs) {
      if (getOption(oneof, oneofOption).required) {
        tests.push(`m.${oneof.localName}.case !== undefined`);
      }
    }
    return tests;
  }

  #fieldTests(field: DescField, scope: Scope, named: (value: unknown) => string): string[] {
    const rules = getOption(field, fieldOption);
    if (rules.$unknown !== undefined) throw new NotCompiled();
    const inner: Scope = { ...scope, hasRules: scope.hasRules && rules.ignore !== Ignore.ALWAYS };
    const tests = this.#valueTests(field, rules, inner, named);
    const isRequired = inner.hasRules && rules.required;
    if (tests.length === 0 && !isRequired) return [];
    const test = tests.length === 0 ? 'true' : tests.join(' && ');
    const value = field.oneof === undefined ? `m.${field.localName}` : `m.${field.oneof.localName}.value`;
    const absent = absentTest(field, rules);
    if (absent === undefined && isRequired) throw new NotCompiled();
    const passed =
      absent === undefined ? test : isRequired ? `!(${absent}) && ${test}` : `(${absent} || ${test})`;
    return [`(v => ${passed})(${value})`];
  }

  /** Tests of a field's value `v`. */
  #valueTests(
    field: DescField,
    rules: FieldRules,
    scope: Scope,
    named: (value: unknown) => string,
  ): string[] {
    const tests: string[] = [];
    if (scope.hasRules) {
      if (rules.celExpression.length > 0) throw new NotCompiled();
      for (const { expression } of rules.cel) tests.push(`(${expressionText(expression)})`);
      tests.push(...this.#typeTests(field, rules, named));
    }
    if (field.message === undefined || field.fieldKind === 'map') {
      if (field.message !== undefined) throw new NotCompiled();
      return tests;
    }
    const itemScope =
      field.fieldKind === 'list' && rules.type.case === 'repeated'
        ? { ...scope, hasRules: scope.hasRules && rules.type.value.items?.ignore !== Ignore.ALWAYS }
        : scope;
    const passes = named(this.passes(field.message, itemScope));
    tests.push(field.fieldKind === 'list' ? `v.every(${passes})` : `${passes}(v)`);
    return tests;
  }

  #typeTests(field: DescField, { type }: FieldRules, named: (value: unknown) => string): string[] {
    if (type.case === undefined) return [];
    const used = usedRules(type.value);
    const tests: string[] = [];
    for (const [name, value] of Object.entries(used)) {
      tests.push(this.#ruleTest(`${type.case}.${name}`, value, field, named));
    }
    return tests.filter((test) => test !== '');
  }

  /** The test of one rule. @throws NotCompiled */
  #ruleTest(rule: string, value: unknown, field: DescField, named: (value: unknown) => string): string {
    switch (rule) {
      case 'string.pattern':
        return `${named(this.#expressionOf(String(value)))}.test(v)`;
      case 'string.minLen':
        // A character may be two code units: more than one character would have to be counted.
        if (value !== 1n) throw new NotCompiled();
        return 'v !== ""';
      case 'string.maxLen':
        // A text has at most as many characters as code units.
        return `v.length <= ${String(value)}`;
      case 'int32.gte':
        return `v >= ${String(value)}`;
      case 'int32.lte':
        return `v <= ${String(value)}`;
      case 'int64.gt':
        return `v > ${String(value)}n`;
      case 'int64.gte':
        return `v >= ${String(value)}n`;
      case 'int64.lte':
        return `v <= ${String(value)}n`;
      case 'bool.const':
        return `v === ${String(value)}`;
      case 'enum.definedOnly':
        return value === true
          ? `${named(new Set(field.enum?.values.map(({ number }) => number)))}.has(v)`
          : '';
      case 'enum.notIn':
        return `!${named(value)}.includes(v)`;
      case 'fieldMask.in': {
        const allowed = named(new Set(Array.isArray(value) ? value : []));
        return `v.paths.every((path) => ${allowed}.has(path))`;
      }
      case 'timestamp.gte':
        if (!isTimeZero(value)) throw new NotCompiled();
        return 'v.seconds >= 0n && v.nanos >= 0';
      case 'repeated.minItems':
        return `v.length >= ${String(value)}`;
      case 'repeated.maxItems':
        return `v.length <= ${String(value)}`;
      case 'repeated.unique':
        if (field.scalar !== ScalarType.STRING) throw new NotCompiled();
        return 'new Set(v).size === v.length';
      case 'map.maxPairs':
        return `Object.keys(v).length <= ${String(value)}`;
      default:
        return this.#partsTest(rule, value, field, named);
    }
  }

  /** Rules on the items of a list, the keys of a map and the values of one. */
  #partsTest(rule: string, value: unknown, field: DescField, named: (value: unknown) => string): string {
    if (typeof value !== 'object' || value === null || !('$typeName' in value)) throw new NotCompiled();
    if (value.$typeName !== FieldRulesSchema.typeName) throw new NotCompiled();
    // Just compared with the name of the type.
    const parts = value as FieldRules;
    if (parts.cel.length + parts.celExpression.length > 0 || parts.required) throw new NotCompiled();
    if (rule === 'repeated.items' && parts.ignore === Ignore.ALWAYS) return '';
    if (parts.ignore !== Ignore.UNSPECIFIED) throw new NotCompiled();
    const tests = this.#typeTests(field, parts, named).join(' && ');
    if (tests === '') return '';
    switch (rule) {
      case 'repeated.items':
        return `v.every((v) => ${tests})`;
      case 'map.keys':
        return `Object.keys(v).every((v) => ${tests})`;
      case 'map.values':
        return `Object.values(v).every((v) => ${tests})`;
      default:
        throw new NotCompiled();
    }
  }
}

/** When the rules of a field do not apply to its value `v`; undefined: they always do. */
function absentTest(field: DescField, { ignore }: FieldRules): string | undefined {
  const isSkippable = ignore === Ignore.IF_ZERO_VALUE;
  if (field.oneof !== undefined) {
    if (isSkippable && field.message === undefined) throw new NotCompiled();
    return `m.${field.oneof.localName}.case !== ${JSON.stringify(field.localName)}`;
  }
  if (field.fieldKind === 'list' || field.fieldKind === 'map') {
    if (isSkippable) throw new NotCompiled();
    return undefined;
  }
  if (field.presence !== FeatureSet_FieldPresence.IMPLICIT) return 'v === undefined';
  if (!isSkippable) return undefined;
  return 'v === "" || v === 0 || v === 0n || v === false';
}

function expressionText(expression: string): string {
  const text = EXPRESSIONS.get(expression);
  if (text === undefined) throw new NotCompiled();
  return text;
}

/** The rules that are set, under their names. @throws NotCompiled for rules of extensions */
function usedRules(rules: Message): Readonly<Record<string, unknown>> {
  if (rules.$unknown !== undefined) throw new NotCompiled();
  const schema = FieldRulesSchema.fields.find(
    ({ message }) => message?.typeName === rules.$typeName,
  )?.message;
  if (schema === undefined) throw new NotCompiled();
  const used: Record<string, unknown> = {};
  for (const field of schema.fields) {
    if (!isFieldSet(rules, field) || field.name === 'example') continue;
    // Comparisons are oneofs in the rules: the name is that of the case.
    used[field.localName] =
      field.oneof === undefined
        ? Reflect.get(rules, field.localName)
        : Reflect.get(Object(Reflect.get(rules, field.oneof.localName)), 'value');
  }
  return used;
}

function isTimeZero(value: unknown): boolean {
  return (
    typeof value === 'object' &&
    value !== null &&
    Reflect.get(value, 'seconds') === 0n &&
    Reflect.get(value, 'nanos') === 0
  );
}
