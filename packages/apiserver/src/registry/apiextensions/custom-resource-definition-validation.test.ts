// Tests of CustomResourceDefinitions' validation by table.

import { setCustomResourceDefinitionDefaults } from "@picokube/api/apiextensions/defaults";
import type { CustomResourceDefinition } from "@picokube/api/apiextensions/v1";
import type { FieldError } from "@picokube/api/errors";
import { test } from "tap";
import {
  validateCustomResourceDefinition,
  validateCustomResourceDefinitionUpdate,
} from "./custom-resource-definition-validation.js";

const words = (faults: readonly FieldError[]) => faults.map(({ field, message }) => `${field}: ${message}`);
const object = (properties: object, more: object = {}) => ({ type: "object", properties, ...more });

function crd({ spec = {}, version = {}, schema = object({}), name = "widgets.example.com" }): CustomResourceDefinition {
  const result = {
    metadata: { name },
    spec: {
      group: "example.com",
      scope: "Namespaced",
      names: { kind: "Widget", plural: "widgets" },
      versions: [{ name: "v1", served: true, storage: true, schema: { openAPIV3Schema: schema }, ...version }],
      ...structuredClone(spec),
    },
    status: { storedVersions: ["v1"] },
  } as unknown as CustomResourceDefinition;
  setCustomResourceDefinitionDefaults(result);
  return result;
}

const root = "spec.validation.openAPIV3Schema";
const map = { "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["a"] };

const table: [string, Parameters<typeof crd>[0], string[]][] = [
  ["a plain one", {}, []],
  [
    "another name",
    { name: "x.example.com" },
    ['metadata.name: Invalid value: "x.example.com": must be spec.names.plural+"."+spec.group'],
  ],
  [
    "no schema",
    { version: { schema: undefined } },
    ["spec.versions[0].schema.openAPIV3Schema: Required value: schemas are required"],
  ],
  ["no scope", { spec: { scope: "" } }, ["spec.scope: Required value"]],
  [
    "an unknown scope",
    { spec: { scope: "All" } },
    ['spec.scope: Unsupported value: "All": supported values: "Cluster", "Namespaced"'],
  ],
  [
    "a field without a type",
    { schema: object({ spec: { properties: {} } }) },
    [`${root}.properties[spec].type: Required value: must not be empty for specified object fields`],
  ],
  [
    "an array without items",
    { schema: object({ a: { type: "array" } }) },
    [`${root}.properties[a].items: Required value: must be specified`],
  ],
  [
    "a root that is no object",
    { schema: { type: "string" } as never },
    [`${root}.type: Invalid value: "string": must be object at the root`],
  ],
  [
    "an unknown type",
    { schema: object({ a: { type: "text" } }) },
    [
      `${root}.properties[a].type: Unsupported value: "text": supported values: "array", "boolean", "integer", "number", "object", "string"`,
    ],
  ],
  [
    "both kinds of properties",
    { schema: object({ a: object({ b: { type: "string" } }, { additionalProperties: { type: "string" } }) }) },
    [`${root}.properties[a].additionalProperties: Forbidden: additionalProperties and properties are mutual exclusive`],
  ],
  [
    "a type inside anyOf",
    { schema: object({ a: { type: "string" } }, { anyOf: [{ properties: { a: { type: "string" } } }] }) },
    [`${root}.anyOf[0].properties[a].type: Forbidden: must be empty to be structural`],
  ],
  [
    "a validation of what is not there",
    { schema: object({}, { anyOf: [{ properties: { a: { minLength: 1 } } }] }) },
    [`${root}.properties[a]: Required value: because it is defined in ${root}.anyOf[0].properties[a]`],
  ],
  [
    "metadata that is specified",
    { schema: object({ metadata: object({ labels: { type: "object" } }) }) },
    [
      `${root}.properties[metadata]: Forbidden: must not specify anything other than name and generateName, but metadata is implicitly specified`,
    ],
  ],
  [
    "int-or-string by its pattern",
    { schema: object({ a: { "x-kubernetes-int-or-string": true, anyOf: [{ type: "integer" }, { type: "string" }] } }) },
    [],
  ],
  [
    "a default of another type",
    { schema: object({ a: { type: "integer", default: "b" } }) },
    [
      `${root}.properties[a].default: Invalid value: "string": ${root}.properties[a].default in body must be of type integer: "string"`,
    ],
  ],
  [
    "a default with unknown fields",
    { schema: object({ a: object({}, { default: { b: 1 } }) }) },
    [`${root}.properties[a].default: Invalid value: {"b":1}: must not have unknown fields`],
  ],
  [
    "a map list whose key may be missing",
    { schema: object({ a: { type: "array", items: object({ a: { type: "string" } }), ...map } }) },
    [
      `${root}.properties[a].items.properties[a].default: Required value: this property is in x-kubernetes-list-map-keys, so it must have a default or be a required property`,
    ],
  ],
  [
    "uniqueItems",
    { schema: object({ a: { type: "array", items: { type: "string" }, uniqueItems: true } }) },
    [
      `${root}.properties[a].uniqueItems: Forbidden: uniqueItems cannot be set to true since the runtime complexity becomes quadratic`,
    ],
  ],
  [
    "a rule without words",
    { schema: object({}, { "x-kubernetes-validations": [{ rule: " " }] }) },
    [`${root}.x-kubernetes-validations[0].rule: Required value: rule is not specified`],
  ],
  [
    "a scale outside of spec",
    { version: { subresources: { scale: { specReplicasPath: ".status.a", statusReplicasPath: ".status.b" } } } },
    ['spec.subresources.scale.specReplicasPath: Invalid value: ".status.a": should be a json path under .spec'],
  ],
  [
    "a column of an unknown type",
    { version: { additionalPrinterColumns: [{ name: "a", type: "text", jsonPath: "a" }] } },
    [
      'spec.additionalPrinterColumns[0].type: Invalid value: "text": must be one of boolean,date,integer,number,string',
      'spec.additionalPrinterColumns[0].JSONPath: Invalid value: "a": must be a simple json path starting with .',
    ],
  ],
  [
    "a webhook that is nowhere",
    { spec: { conversion: { strategy: "Webhook", webhook: { conversionReviewVersions: ["v2"] } } } },
    [
      "spec.conversion.webhookClientConfig: Required value: required when strategy is set to Webhook",
      'spec.conversion.conversionReviewVersions: Invalid value: []string{"v2"}: must include at least one of v1, v1beta1',
    ],
  ],
  [
    "a warning of a version in use",
    { version: { deprecationWarning: "a" } },
    ['spec.versions[0].deprecationWarning: Invalid value: "a": can only be set for deprecated versions'],
  ],
];

for (const [name, parts, expected] of table) {
  test(`validateCustomResourceDefinition: ${name}`, (t) => {
    t.strictSame(words(validateCustomResourceDefinition(crd(parts))), expected);
    t.end();
  });
}

test("a version that differs is named by its own path", (t) => {
  const version = (name: string, schema: object) => ({
    name,
    served: true,
    storage: name === "v1",
    schema: { openAPIV3Schema: schema },
  });
  const versions = [version("v1", object({})), version("v2", object({ a: {} }))];
  t.strictSame(words(validateCustomResourceDefinition(crd({ spec: { versions } }))), [
    "spec.versions[1].schema.openAPIV3Schema.properties[a].type: Required value: must not be empty for specified object fields",
  ]);
  t.end();
});

test("what an established definition cannot change", (t) => {
  const old = crd({});
  old.status = { ...old.status, conditions: [{ type: "Established", status: "True" }] };
  const next = crd({ spec: { scope: "Cluster", names: { kind: "Other", plural: "widgets" } } });
  t.strictSame(words(validateCustomResourceDefinitionUpdate(next, old)), [
    'spec.scope: Invalid value: "Cluster": field is immutable',
    'spec.names.kind: Invalid value: "Other": field is immutable',
  ]);
  next.status = { storedVersions: ["v0", "v1"] };
  t.match(words(validateCustomResourceDefinitionUpdate(next, next)), [
    /^status\.storedVersions\[0\]: Invalid value: "v0": missing from spec\.versions; v0 was previously a storage version/,
  ]);
  t.end();
});

test("a group of the community needs its approval", (t) => {
  const spec = { group: "x.k8s.io" };
  t.match(words(validateCustomResourceDefinition(crd({ spec, name: "widgets.x.k8s.io" }))), [
    /^metadata\.annotations\[api-approved\.kubernetes\.io\]: Required value: protected groups must have approval annotation/,
  ]);
  t.end();
});
