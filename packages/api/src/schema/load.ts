// Loads the generated schemas at first use. One load a process; only processes that validate or patch pay for it. The
// files lie in dist/generated, written by scripts/generate.mjs.

import { readFileSync } from "node:fs";
import { apiVersionOf, type GroupVersionKind } from "../resource.js";
import type { Schema } from "./schema.js";

interface SchemaFile {
  /** "apps/v1/Deployment" to full definition name. */
  kinds: { [kind: string]: string };
  definitions: { [name: string]: Schema };
}

let file: SchemaFile | undefined;

function readGenerated(name: string): unknown {
  return JSON.parse(readFileSync(new URL(`../generated/${name}`, import.meta.url), "utf8"));
}

/** Equal leaves become one object: most fields are a plain string, number or reference. */
function shareLeaves(definitions: SchemaFile["definitions"]): void {
  const leaves = new Map<string, Schema>();
  const shared = (schema: Schema): Schema => {
    if (schema.properties) return schema;
    const text = JSON.stringify(schema);
    const known = leaves.get(text);
    if (known) return known;
    if (schema.items) schema.items = shared(schema.items);
    if (schema.additionalProperties) schema.additionalProperties = shared(schema.additionalProperties);
    leaves.set(text, Object.freeze(schema));
    return schema;
  };
  for (const { properties } of Object.values(definitions)) {
    for (const [name, schema] of Object.entries(properties ?? {})) properties![name] = shared(schema);
  }
}

function load(): SchemaFile {
  if (!file) {
    file = readGenerated("schemas.json") as SchemaFile;
    shareLeaves(file.definitions);
  }
  return file;
}

/** The definition of that full name ("io.k8s.api.core.v1.Pod"); throws on an unknown name. */
export function definition(name: string): Schema {
  const { definitions } = load();
  const found = Object.hasOwn(definitions, name) ? definitions[name] : undefined;
  if (!found) throw new Error(`no schema is named ${name}`);
  return found;
}

/** Full name of a kind's definition; undefined for an unknown kind. */
export function definitionNameOf(kind: GroupVersionKind): string | undefined {
  return load().kinds[`${apiVersionOf(kind)}/${kind.kind}`];
}

/** The schema of a built-in kind, without descriptions; undefined for an unknown kind. */
export function schemaOf(kind: GroupVersionKind): Schema | undefined {
  const name = definitionNameOf(kind);
  return name === undefined ? undefined : definition(name);
}

/** Follows ref until the schema stands for itself. */
export function resolve(schema: Schema): Schema {
  let resolved = schema;
  while (resolved.ref !== undefined) resolved = definition(resolved.ref);
  return resolved;
}

/** All definitions with descriptions, read afresh from disk: for building OpenAPI documents, not kept. */
export function definitionsWithDescriptions(): Map<string, Schema> {
  const { definitions } = readGenerated("schemas.json") as SchemaFile;
  const descriptions = readGenerated("descriptions.json") as { [name: string]: { [field: string]: string } };
  for (const [name, schema] of Object.entries(definitions)) {
    const words = descriptions[name] ?? {};
    if (words[""] !== undefined) schema.description = words[""];
    for (const [field, property] of Object.entries(schema.properties ?? {})) {
      if (words[field] !== undefined) property.description = words[field];
    }
  }
  return new Map(Object.entries(definitions));
}

let descriptions: WeakRef<{ [name: string]: { [field: string]: string } }> | undefined;

/** The words of a definition's field, "" when there are none. Read from disk; kept only as long as nobody needs the room. */
export function fieldDescription(definitionName: string, field: string): string {
  let read = descriptions?.deref();
  if (!read) {
    read = readGenerated("descriptions.json") as { [name: string]: { [field: string]: string } };
    descriptions = new WeakRef(read);
  }
  return read[definitionName]?.[field] ?? "";
}

/** Changes whenever the generated schemas do. */
export function schemasVersion(): string {
  return readFileSync(new URL("../generated/stamp", import.meta.url), "utf8");
}
