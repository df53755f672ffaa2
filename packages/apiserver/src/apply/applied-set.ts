// Which paths a configuration or an object consists of (structured-merge-diff typed/tofieldset.go). Pure.

import type { Schema } from "@picokube/api/schema/schema";
import { indexItems } from "./compare.js";
import { EMPTY, type FieldSet, fieldElement, isMember, nodeOf, setOf } from "./field-set.js";
import { type FieldType, fieldTypeOf, isJsonObject, schemaBelow, schemaOfField } from "./field-type.js";

/** The paths that applying the object claims: its leaves, its list items, and its empty structs. */
export function appliedSet(object: object, schema: Schema): FieldSet {
  return setOf(childrenOf(object, fieldTypeOf(schema)));
}

function childrenOf(value: unknown, type: FieldType): { [element: string]: FieldSet } {
  const children: { [element: string]: FieldSet } = {};
  if (type.kind === "keyed" || type.kind === "set") {
    for (const [element, items] of indexItems(Array.isArray(value) ? value : [], type)) {
      const below = type.kind === "set" || items.length > 1 ? {} : childrenOf(items[0], fieldTypeOf(type.items));
      children[element] = nodeOf(below, { member: true })!;
    }
  } else if (type.kind !== "leaf" && isJsonObject(value)) {
    for (const [name, field] of Object.entries(value)) {
      if (field === undefined) continue;
      const node = fieldNode(field, fieldTypeOf(schemaOfField(type, name)), { isDeclared: type.kind === "struct" });
      if (node) children[fieldElement(name)] = node;
    }
  }
  return children;
}

/** A struct's field is claimed through what is below it; a map's entry is claimed itself as well. */
function fieldNode(value: unknown, type: FieldType, { isDeclared }: { isDeclared: boolean }): FieldSet | undefined {
  const isWhole = type.kind === "leaf" || (type.kind === "deduced" && !isJsonObject(value));
  const isEmpty = isJsonObject(value) && Object.keys(value).length === 0;
  return nodeOf(isWhole ? {} : childrenOf(value, type), {
    member: isWhole || isEmpty || !isDeclared || value === null,
  });
}

/** The set with every declared field on the way to a path as a member too (EnsureNamedFieldsAreMembers). */
export function withNamedFields(set: FieldSet, schema: Schema): FieldSet {
  return named(set, schema, { member: false }) ?? EMPTY;
}

function named(node: FieldSet, schema: Schema | undefined, { member }: { member: boolean }): FieldSet | undefined {
  const type = schema && fieldTypeOf(schema);
  const children: { [element: string]: FieldSet } = {};
  for (const [element, child] of Object.entries(node)) {
    if (element === ".") continue;
    const isDeclared = type?.kind === "struct" && element.startsWith("f:") && type.fields.has(element.slice(2));
    const below = type && schemaBelow(type, element);
    children[element] = named(child, below, { member: isDeclared || isMember(child) }) ?? EMPTY;
  }
  return nodeOf(children, { member });
}
