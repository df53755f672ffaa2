// The schemas of custom resources as OpenAPI documents tell them (apiextensions-apiserver pkg/controller/openapi/builder,
// v2: ToStructuralOpenAPIV2). Pure; which are wanted is document.ts's.

import type { GroupVersionKind } from "@picokube/api/resource";
import { itemsOf, type JsonSchema, valuesOf } from "../registry/apiextensions/json-schema.js";
import type { ResourceDefinition } from "../registry/resource-definition.js";
import type { Json } from "./schemas.js";

const META = "io.k8s.apimachinery.pkg.apis.meta.v1";

/** How the fields that every resource and every list has are described. */
export interface MetaWords {
  readonly apiVersion: string | undefined;
  readonly kind: string | undefined;
  readonly metadata: string | undefined;
  readonly listMetadata: string | undefined;
}

export interface Form {
  readonly version: "v2" | "v3";
  readonly words: MetaWords;
}

/** What a document says of a kind that is not built in: plain data, fit to be sent to a thread. */
export interface CustomSchema {
  readonly name: string;
  readonly kind: GroupVersionKind;
  readonly schema: JsonSchema;
}

/** "com.example.stable.v1.CronTab" (upstream: ToRESTFriendlyName). */
export function customSchemaName({ group, version, kind }: GroupVersionKind): string {
  return [...group.split(".").reverse(), version, kind].join(".");
}

/** The custom kinds among the definitions. */
export function customSchemasOf(definitions: readonly ResourceDefinition[]): CustomSchema[] {
  return definitions.flatMap(({ custom, resource: { group, version, kind } }) => {
    const own = { group, version, kind };
    return custom ? [{ name: customSchemaName(own), kind: own, schema: custom.schema }] : [];
  });
}

const referenceTo = ({ version }: Form, name: string): string =>
  version === "v2" ? `#/definitions/${name}` : `#/components/schemas/${name}`;

/** The definitions of a kind and of its list, by name. */
export function customDefinitions({ name, kind, schema }: CustomSchema, form: Form): [string, Json][] {
  const isOpen = schema["x-kubernetes-preserve-unknown-fields"] === true;
  // Clients of v2 take what may hold anything for what holds nothing else.
  const own = form.version === "v2" && isOpen ? {} : convert({ ...schema, type: "object" }, form);
  const properties = {
    ...(own.properties as Json | undefined),
    ...metaProperties(form, "ObjectMeta"),
  };
  const list = {
    description: `A list of ${kind.kind} objects.`,
    type: "object",
    required: ["items"],
    properties: {
      ...metaProperties(form, "ListMeta"),
      items: {
        description: `The ${kind.kind} objects.`,
        type: "array",
        items: { $ref: referenceTo(form, name) },
      },
    },
  };
  const { group, version } = kind;
  const claim = (word: string): Json => ({
    "x-kubernetes-group-version-kind": [{ group, kind: word, version }],
  });
  return [
    [name, { ...own, type: "object", properties, ...claim(kind.kind) }],
    [`${name}List`, { ...list, ...claim(`${kind.kind}List`) }],
  ];
}

function metaProperties(form: Form, meta: "ObjectMeta" | "ListMeta"): Json {
  const { words } = form;
  const description = meta === "ObjectMeta" ? words.metadata : words.listMetadata;
  const $ref = referenceTo(form, `${META}.${meta}`);
  return {
    apiVersion: { description: words.apiVersion, type: "string" },
    kind: { description: words.kind, type: "string" },
    metadata: form.version === "v2" ? { description, $ref } : { description, allOf: [{ $ref }] },
  };
}

/** What stands in a v2 document only where it means the same there. */
const V3_ONLY = new Set(["allOf", "anyOf", "oneOf", "not", "nullable", "x-kubernetes-validations"]);

function convert(schema: JsonSchema, form: Form): Json {
  const result: Json = {};
  const isOpen = schema["x-kubernetes-preserve-unknown-fields"] === true;
  const isUntyped = form.version === "v2" && schema.nullable === true;
  for (const [name, value] of Object.entries(schema)) {
    if (value === undefined || value === null || name === "x-kubernetes-validations") continue;
    if (form.version === "v2" && V3_ONLY.has(name)) continue;
    if (!["properties", "items", "additionalProperties"].includes(name)) result[name] = value;
  }
  if (isUntyped) delete result.type;
  if (form.version === "v2" && (isOpen || isUntyped)) return result;
  const items = itemsOf(schema);
  if (items) result.items = convert(items, form);
  const values = valuesOf(schema);
  if (values) result.additionalProperties = convert(values, form);
  else if (schema.additionalProperties === true && form.version === "v3") result.additionalProperties = true;
  if (schema.properties) {
    const entries = Object.entries(schema.properties);
    result.properties = Object.fromEntries(entries.map(([name, property]) => [name, convert(property ?? {}, form)]));
    if (form.version === "v2" && schema.required) {
      const required = schema.required.filter((name) => schema.properties![name]?.nullable !== true);
      if (required.length > 0) result.required = required;
      else delete result.required;
    }
  }
  if (schema["x-kubernetes-embedded-resource"]) {
    const own = result.properties as Json | undefined;
    result.properties = { ...own, ...metaProperties(form, "ObjectMeta") };
  }
  return result;
}
