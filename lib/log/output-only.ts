/** Output-only fields: what answers say and callers may echo. They are no part of a command, so that a retry may do either. */
import type { DescField, DescMessage, Message } from '@bufbuild/protobuf';
import { MoneySchema } from '../../gen/quittance/common/v1/money_pb.js';

/** The fields whose comments in the contracts say `Output only`, by message. */
export const OUTPUT_ONLY: ReadonlyMap<string, readonly string[]> = new Map([
  [MoneySchema.typeName, [MoneySchema.field.exponent.localName]],
]);

/** What to leave out of a message, here and in the messages that it holds. */
interface Plan {
  readonly omitted: readonly string[];
  readonly nested: readonly { readonly name: string; readonly isList: boolean; readonly plan: Plan }[];
}

const NOTHING: Plan = { omitted: [], nested: [] };
const plans = new Map<string, Plan>();

/** The message without its output-only fields: a copy, or the message itself if it has none. */
export function withoutOutputOnly<M extends Message>(schema: DescMessage, message: M): M {
  const changes = changesOf(planOf(schema), message);
  return changes === undefined ? message : Object.assign({ ...message }, changes);
}

function changesOf({ omitted, nested }: Plan, message: object): Record<string, unknown> | undefined {
  let changes: Record<string, unknown> | undefined;
  for (const name of omitted) {
    if (Reflect.get(message, name) !== undefined) changes = { ...changes, [name]: undefined };
  }
  for (const { name, isList, plan } of nested) {
    const before: unknown = Reflect.get(message, name);
    const after = isList ? listWithout(plan, before) : valueWithout(plan, before);
    if (after !== before) changes = { ...changes, [name]: after };
  }
  return changes;
}

function valueWithout(plan: Plan, value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  const changes = changesOf(plan, value);
  return changes === undefined ? value : { ...value, ...changes };
}

function listWithout(plan: Plan, list: unknown): unknown {
  if (!Array.isArray(list)) return list;
  const after = list.map((item: unknown) => valueWithout(plan, item));
  return after.some((item, index) => item !== list[index]) ? after : list;
}

function planOf(schema: DescMessage): Plan {
  const known = plans.get(schema.typeName);
  if (known !== undefined) return known;
  // A message that holds itself finds nothing the second time.
  plans.set(schema.typeName, NOTHING);
  const plan = {
    omitted: OUTPUT_ONLY.get(schema.typeName) ?? [],
    nested: schema.fields.flatMap((field) => {
      const inner = messageOf(field);
      const nestedPlan = inner === undefined ? NOTHING : planOf(inner);
      if (nestedPlan.omitted.length === 0 && nestedPlan.nested.length === 0) return [];
      return [{ name: field.localName, isList: field.fieldKind === 'list', plan: nestedPlan }];
    }),
  };
  plans.set(schema.typeName, plan);
  return plan;
}

/** The message that a field holds, alone or in a list; commands hold no maps of messages. */
function messageOf(field: DescField): DescMessage | undefined {
  return field.fieldKind === 'message' || field.fieldKind === 'list' ? field.message : undefined;
}
