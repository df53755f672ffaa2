// The shape of a CustomResourceDefinition's OpenAPI v3 schema as validation walks it. Only types and the walk's small
// helpers; what is valid stands in schema-validation.ts and structural-validation.ts.

/** A schema; what a client sends may lack anything. */
export interface JsonSchema {
  readonly id?: string;
  readonly $ref?: string;
  readonly type?: string;
  readonly title?: string;
  readonly description?: string;
  readonly format?: string;
  readonly nullable?: boolean;
  readonly default?: unknown;
  readonly pattern?: string;
  readonly enum?: readonly unknown[];
  readonly minimum?: number;
  readonly maximum?: number;
  readonly exclusiveMinimum?: boolean;
  readonly exclusiveMaximum?: boolean;
  readonly multipleOf?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly minProperties?: number;
  readonly maxProperties?: number;
  readonly uniqueItems?: boolean;
  readonly required?: readonly string[];
  readonly properties?: Schemas;
  readonly patternProperties?: Schemas;
  readonly definitions?: Schemas;
  readonly dependencies?: { readonly [name: string]: unknown };
  readonly additionalProperties?: boolean | JsonSchema;
  readonly additionalItems?: boolean | JsonSchema;
  readonly items?: JsonSchema | readonly JsonSchema[];
  readonly not?: JsonSchema;
  readonly allOf?: readonly JsonSchema[];
  readonly anyOf?: readonly JsonSchema[];
  readonly oneOf?: readonly JsonSchema[];
  readonly "x-kubernetes-embedded-resource"?: boolean;
  readonly "x-kubernetes-int-or-string"?: boolean;
  readonly "x-kubernetes-preserve-unknown-fields"?: boolean;
  readonly "x-kubernetes-list-type"?: string;
  readonly "x-kubernetes-list-map-keys"?: readonly string[];
  readonly "x-kubernetes-map-type"?: string;
  readonly "x-kubernetes-validations"?: readonly ValidationRule[];
}

type Schemas = { readonly [name: string]: JsonSchema };

interface ValidationRule {
  readonly rule?: string;
  readonly message?: string;
  readonly messageExpression?: string;
  readonly reason?: string;
  readonly fieldPath?: string;
}

/** The entries of a map of schemas, in the order of their names, each an object. */
export function entriesOf(schemas: Schemas | undefined): [string, JsonSchema][] {
  return Object.entries(schemas ?? {})
    .map(([name, schema]): [string, JsonSchema] => [name, schema ?? {}])
    .sort(([a], [b]) => (a < b ? -1 : 1));
}

/** The single schema of an array's items; undefined when there is none or a list of them. */
export function itemsOf({ items }: JsonSchema): JsonSchema | undefined {
  return items === undefined || items === null || Array.isArray(items) ? undefined : (items as JsonSchema);
}

/** The schema of a map's values; undefined when it is only allowed or forbidden. */
export function valuesOf({ additionalProperties: values }: JsonSchema): JsonSchema | undefined {
  return typeof values === "object" && values !== null ? values : undefined;
}
