import { test } from "tap";
import type { JsonSchema } from "../registry/apiextensions/json-schema.js";
import { validateListTypes } from "./list-types.js";
import { validateValue } from "./validate-value.js";

const faultsOf = (value: unknown, schema: JsonSchema, old?: unknown) =>
  validateValue({ a: value }, { type: "object", properties: { a: schema } }, { path: "", old: old && { a: old } }).map(
    ({ field, message }) => `${field}: ${message}`,
  );

test("values against schemas, in upstream's words", async (t) => {
  const cases: [unknown, JsonSchema, string[]][] = [
    ["x", { type: "integer" }, ['a: Invalid value: "string": a in body must be of type integer: "string"']],
    [1.5, { type: "integer" }, ['a: Invalid value: "number": a in body must be of type integer: "number"']],
    [1, { type: "number" }, []],
    [{}, { type: "array", items: {} }, ['a: Invalid value: "object": a in body must be of type array: "object"']],
    [null, { type: "string" }, ['a: Invalid value: "null": a in body must be of type string: "null"']],
    [null, { type: "string", nullable: true }, []],
    [
      true,
      { "x-kubernetes-int-or-string": true },
      ['a: Invalid value: "boolean": a in body must be of type integer,string: "boolean"'],
    ],
    ["80%", { "x-kubernetes-int-or-string": true, anyOf: [{ type: "integer" }, { type: "string" }] }, []],
    ["", { type: "string", minLength: 1 }, ['a: Invalid value: "": a in body should be at least 1 chars long']],
    ["abc", { type: "string", maxLength: 2 }, ["a: Too long: may not be more than 2 bytes"]],
    ["b", { type: "string", pattern: "^a$" }, ["a: Invalid value: \"b\": a in body should match '^a$'"]],
    ["A", { type: "string", pattern: "(?i)^a$" }, []],
    ["a_b", { type: "string", pattern: "^[[:lower:]]\\_b$" }, []],
    [5, { type: "integer", maximum: 4 }, ["a: Invalid value: 5: a in body should be less than or equal to 4"]],
    [4, { maximum: 4, exclusiveMaximum: true }, ["a: Invalid value: 4: a in body should be less than 4"]],
    [1, { minimum: 1, exclusiveMinimum: true }, ["a: Invalid value: 1: a in body should be greater than 1"]],
    [5, { multipleOf: 2 }, ["a: Invalid value: 5: a in body should be a multiple of 2"]],
    ["c", { enum: ["a", "b"] }, ['a: Unsupported value: "c": supported values: "a", "b"']],
    [[], { type: "array", minItems: 1 }, ["a: Invalid value: 0: a in body should have at least 1 items"]],
    [[1, 2], { type: "array", maxItems: 1 }, ["a: Too many: 2: must have at most 1 items"]],
    [
      ["x"],
      { type: "array", items: { type: "integer" } },
      ['a[0]: Invalid value: "string": a[0] in body must be of type integer: "string"'],
    ],
    [{}, { type: "object", minProperties: 1 }, ["a: Invalid value: 0: a in body should have at least 1 properties"]],
    [{}, { type: "object", required: ["b"] }, ["a.b: Required value"]],
    [
      { k: 1 },
      { type: "object", additionalProperties: { type: "string" } },
      ['a.k: Invalid value: "integer": a.k in body must be of type string: "integer"'],
    ],
    ["x", { type: "string", format: "date-time" }, ['a: Invalid value: "x": a in body must be of type date-time: "x"']],
    [
      "2026-02-30T00:00:00Z",
      { format: "date-time" },
      ['a: Invalid value: "2026-02-30T00:00:00Z": a in body must be of type date-time: "2026-02-30T00:00:00Z"'],
    ],
    ["2026-02-28T23:59:59.5+01:00", { format: "date-time" }, []],
    ["10.0.0.0/8", { format: "cidr" }, []],
    [
      "10.0.0.0/33",
      { format: "cidr" },
      ['a: Invalid value: "10.0.0.0/33": a in body must be of type cidr: "10.0.0.0/33"'],
    ],
    ["x", { format: "nobody-knows" }, []],
    [
      1,
      { oneOf: [{ minimum: 2 }, { minimum: 3 }] },
      [
        '<nil>: Invalid value: "": "a" must validate one and only one schema (oneOf). Found none valid',
        "a: Invalid value: 1: a in body should be greater than or equal to 2",
      ],
    ],
    [
      5,
      { oneOf: [{ minimum: 2 }, { minimum: 3 }] },
      ['<nil>: Invalid value: "": "a" must validate one and only one schema (oneOf). Found 2 valid alternatives'],
    ],
    [
      1,
      { anyOf: [{ minimum: 2 }] },
      [
        '<nil>: Invalid value: "": "a" must validate at least one schema (anyOf)',
        "a: Invalid value: 1: a in body should be greater than or equal to 2",
      ],
    ],
    [1, { not: { minimum: 1 } }, ['<nil>: Invalid value: "": "a" must not validate the schema (not)']],
  ];
  for (const [value, schema, expected] of cases) {
    t.same(faultsOf(value, schema), expected, `${JSON.stringify(value)} against ${JSON.stringify(schema)}`);
  }
});

test("what an update leaves alone is not judged again", async (t) => {
  const schema: JsonSchema = {
    type: "object",
    required: ["new"],
    properties: { x: { maximum: 1 }, y: { maximum: 1 }, new: {} },
  };
  t.same(faultsOf({ x: 5 }, schema, { x: 5 }), [], "all is as it was");
  t.same(faultsOf({ x: 5, y: 0 }, schema, { x: 5 }), ["a.new: Required value"], "what is around it is judged");
  t.match(faultsOf({ x: 6, new: 1 }, schema, { x: 5 }), [/a.x: Invalid value: 6/]);
  const list: JsonSchema = {
    type: "array",
    "x-kubernetes-list-type": "map",
    "x-kubernetes-list-map-keys": ["k"],
    items: { type: "object", properties: { k: {}, v: { maximum: 1 } } },
  };
  t.same(faultsOf([{ k: "n" }, { k: "o", v: 5 }], list, [{ k: "o", v: 5 }]), [], "items are known by their keys");
  const atomic: JsonSchema = { type: "array", items: { maximum: 1 } };
  t.match(faultsOf([5, 1], atomic, [5]), [/a\[0\]: Invalid value: 5/], "items of other lists are not");
});

test("sets and maps hold each item once", async (t) => {
  const set: JsonSchema = { type: "array", "x-kubernetes-list-type": "set", items: {} };
  const map: JsonSchema = {
    type: "array",
    "x-kubernetes-list-type": "map",
    "x-kubernetes-list-map-keys": ["name", "port"],
    items: { type: "object", properties: { inner: set } },
  };
  const fields = (value: unknown, schema: JsonSchema) =>
    validateListTypes(value, schema, "l").map(({ field }) => field);
  t.same(fields(["a", "b", "a"], set), ["l[2]"]);
  t.same(
    fields(
      [
        { a: 1, b: 2 },
        { b: 2, a: 1 },
      ],
      set,
    ),
    ["l[1]"],
    "the order of fields is no difference",
  );
  t.same(
    fields(
      [
        { name: "a", port: 1 },
        { name: "a", port: 2 },
      ],
      map,
    ),
    [],
  );
  t.same(fields([{ name: "a" }, { name: "a", inner: [1, 1] }], map), ["l[1]", "l[1].inner[1]"]);
});
