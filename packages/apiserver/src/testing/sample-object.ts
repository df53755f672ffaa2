// Objects of any kind, by chance: from samples.ts, right in content, or made from the kind's schema, right in shape only.
// For tests that must reach every field's validation.

import { apiVersionOf, type Resource } from "@picokube/api/resource";
import { definitionNameOf, resolve } from "@picokube/api/schema/load";
import type { Schema } from "@picokube/api/schema/schema";
import { sampleOf } from "./samples.js";

const MAX_DEPTH = 7;
const STRINGS = [
  "fuzz",
  "a",
  "TCP",
  "Always",
  "nginx",
  "10.0.0.1",
  "app=web",
  "http",
  "1",
  "*",
  "v1",
  "Pod",
  "/tmp",
  "default",
];
const QUANTITIES = ["1", "100m", "1Gi", "0"];

/** An object of that kind and name. */
export function sampleObject(resource: Resource, name: string, random: () => number): { [field: string]: unknown } {
  const definitionName = definitionNameOf(resource);
  const object =
    definitionName === undefined || random() < 0.6
      ? sampleOf(resource.kind)
      : (sample({ ref: definitionName }, 0, random) as { [field: string]: unknown });
  const metadata = (object.metadata ?? {}) as { [field: string]: unknown };
  for (const field of ["deletionTimestamp", "ownerReferences", "finalizers", "namespace", "resourceVersion", "uid"]) {
    delete metadata[field];
  }
  return {
    ...object,
    apiVersion: apiVersionOf(resource),
    kind: resource.kind,
    metadata: { ...metadata, name, labels: { app: "fuzz" }, annotations: { a: "b" } },
  };
}

function sample(declared: Schema, depth: number, random: () => number): unknown {
  const schema = resolve(declared);
  const pick = <T>(choices: readonly T[]): T => choices[Math.floor(random() * choices.length)]!;
  switch (schema.type) {
    case "object":
      return sampleStruct(schema, depth, random);
    case "array":
      return Array.from({ length: depth > MAX_DEPTH ? 0 : 1 + Math.floor(random() * 2) }, () =>
        sample(schema.items ?? {}, depth + 1, random),
      );
    case "string":
      if (schema.enum) return pick(schema.enum);
      if (schema.format === "quantity") return pick(QUANTITIES);
      if (schema.format === "date-time") return "2024-01-02T03:04:05Z";
      if (schema.format === "micro-time") return "2024-01-02T03:04:05.000006Z";
      if (schema.format === "byte") return "YQ==";
      if (schema.format === "int-or-string") return pick<unknown>([1, 80, "50%", "http"]);
      return pick(STRINGS);
    case "boolean":
      return random() < 0.5;
    case "integer":
    case "number":
      return pick([0, 1, 2, 80, 100, -1]);
    default:
      return schema.preserveUnknownFields ? { a: 1 } : "a";
  }
}

function sampleStruct(
  { properties, additionalProperties, required = [] }: Schema,
  depth: number,
  random: () => number,
) {
  const result: { [field: string]: unknown } = {};
  if (additionalProperties && !properties) {
    if (depth <= MAX_DEPTH) result.a = sample(additionalProperties, depth + 1, random);
    return result;
  }
  const share = depth < 2 ? 0.8 : depth > MAX_DEPTH ? 0 : 0.25;
  for (const [name, field] of Object.entries(properties ?? {})) {
    const wanted = random() < share || (required.includes(name) && depth <= MAX_DEPTH + 4 && random() < 0.97);
    if (wanted) result[name] = sample(field, depth + 1, random);
  }
  return result;
}
