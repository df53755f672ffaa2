// What the schema of one version of a CustomResourceDefinition asks of its objects: one object with all that the generic
// handlers need in place of a generated schema. Joins the parts of this folder; stores nothing.

import type { FieldError } from "@picokube/api/errors";
import type { KubernetesObject } from "@picokube/api/meta/v1";
import { invalidValue } from "@picokube/api/validation/field-error";
import { isJsonObject, type JsonObject } from "../apply/field-type.js";
import { shallowEnough } from "../decode/typed-decoder.js";
import type { JsonSchema } from "../registry/apiextensions/json-schema.js";
import type { CustomKind } from "../registry/resource-definition.js";
import { applyDefaultValues, dropNulls } from "./default-values.js";
import { coerceMetadata, validateEmbedded } from "./embedded-resources.js";
import { validateListTypes } from "./list-types.js";
import { ownershipSchemaOf } from "./ownership-schema.js";
import { pruneUnknown } from "./prune.js";
import { validateValue } from "./validate-value.js";

const MAX_INT32 = 2 ** 31 - 1;

/** How objects of the version are brought into shape and judged. */
export interface VersionSchema extends Omit<CustomKind, "isTerminating"> {
  /** Drops what the schema does not know and fills in its defaults; in place. */
  complete(object: KubernetesObject): void;
  applyDefaults(object: KubernetesObject): void;
  validate(object: KubernetesObject, old?: KubernetesObject): FieldError[];
}

/** The schema's rules; replicaPaths are those of /scale, "spec.replicas". */
export function versionSchema(schema: JsonSchema, replicaPaths: readonly string[] = []): VersionSchema {
  const applyDefaults = (object: KubernetesObject) => applyDefaultValues(object, schema);
  return {
    schema,
    ownership: ownershipSchemaOf(schema),
    decode(value) {
      const object = shallowEnough(value) as JsonObject;
      const pruned = pruneUnknown(object, schema);
      dropNulls(object, schema);
      return { value: object, unknownFields: [...pruned, ...coerceMetadata(object, schema)] };
    },
    complete(object) {
      pruneUnknown(object as unknown as JsonObject, schema);
      dropNulls(object, schema);
      applyDefaults(object);
    },
    applyDefaults,
    validate: (object, old) => [
      ...validateValue(object, schema, { path: "", old }),
      ...replicaPaths.flatMap((path) => replicaFaults(object, path)),
      ...validateEmbedded(object, schema),
      ...validateListTypes(object, schema),
    ],
  };
}

function replicaFaults(object: KubernetesObject, path: string): FieldError[] {
  let value: unknown = object;
  for (const field of path.split(".")) value = isJsonObject(value) ? value[field] : undefined;
  if (typeof value !== "number") return [];
  if (value < 0) return [invalidValue(path, value, "should be a non-negative integer")];
  return value > MAX_INT32 ? [invalidValue(path, value, `should be less than or equal to ${MAX_INT32}`)] : [];
}
