// The shape of a schema as the generator writes it and the apiserver reads it. In OpenAPI's terms, with the
// x-kubernetes extensions under short names. The generated data lies in dist and is loaded at first use (load.ts).

export interface Schema {
  /** Full name of another definition ("io.k8s.api.core.v1.PodSpec"); then only description and default may stand beside it. */
  ref?: string;
  type?: "object" | "array" | "string" | "integer" | "number" | "boolean";
  /** "int32", "int64", "double", "byte", "date-time" (metav1.Time), "micro-time", "int-or-string", "quantity". */
  format?: string;
  description?: string;
  properties?: { [name: string]: Schema };
  required?: string[];
  items?: Schema;
  additionalProperties?: Schema;
  enum?: string[];
  default?: unknown;
  /** x-kubernetes-list-type; when a list has only a patch merge key, upstream treats it as a map by that key. */
  listType?: "atomic" | "set" | "map";
  listMapKeys?: string[];
  mapType?: "atomic" | "granular";
  /** x-kubernetes-patch-strategy: "merge", "replace", "retainKeys" or "merge,retainKeys". */
  patchStrategy?: string;
  patchMergeKey?: string;
  /** Any value is allowed below (RawExtension, JSON, FieldsV1). */
  preserveUnknownFields?: true;
}
