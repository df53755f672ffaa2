// Pruning, nulls and defaults, by table after upstream's own tests of structural schemas.

import { test } from "tap";
import type { JsonSchema } from "../registry/apiextensions/json-schema.js";
import { applyDefaultValues, dropNulls } from "./default-values.js";
import { pruneUnknown } from "./prune.js";

const text: JsonSchema = { type: "string" };
const within = (spec: JsonSchema): JsonSchema => ({ type: "object", properties: { spec } });
const open: JsonSchema = { type: "object", "x-kubernetes-preserve-unknown-fields": true };

test("unknown fields go, and their paths are told", async (t) => {
  const cases: [string, JsonSchema, unknown, unknown, string[]][] = [
    ["a field", { type: "object", properties: { a: text } }, { a: "1", b: "2" }, { a: "1" }, ["spec.b"]],
    ["all below what has no properties", { type: "object" }, { a: { b: 1 } }, {}, ["spec.a"]],
    ["not what is preserved", open, { a: { b: [1] } }, { a: { b: [1] } }, []],
    [
      "what is specified below the preserved",
      { ...open, properties: { a: { type: "object", properties: { b: text } } } },
      { a: { b: "1", c: 1 }, d: 1 },
      { a: { b: "1" }, d: 1 },
      ["spec.a.c"],
    ],
    [
      "in the items of a list",
      { type: "array", items: { type: "object", properties: { a: text } } },
      [{ a: "1" }, { b: 1 }],
      [{ a: "1" }, {}],
      ["spec[1].b"],
    ],
    [
      "in the values of a map",
      { type: "object", additionalProperties: { type: "object", properties: { a: text } } },
      { x: { a: "1", b: 1 } },
      { x: { a: "1" } },
      ["spec.x.b"],
    ],
    [
      "not the identity of an embedded resource",
      { type: "object", "x-kubernetes-embedded-resource": true },
      { apiVersion: "v1", kind: "Pod", metadata: { name: "a" }, spec: {} },
      { apiVersion: "v1", kind: "Pod", metadata: { name: "a" } },
      ["spec.spec"],
    ],
    ["names that objects inherit", { type: "object", properties: {} }, { constructor: 1 }, {}, ["spec.constructor"]],
  ];
  for (const [name, schema, before, after, paths] of cases) {
    const object = { apiVersion: "x/v1", kind: "X", metadata: { name: "x" }, spec: structuredClone(before) };
    t.same(pruneUnknown(object, within(schema)), paths, name);
    t.same(object, { apiVersion: "x/v1", kind: "X", metadata: { name: "x" }, spec: after }, name);
  }
  const polluted = JSON.parse('{"spec":{"__proto__":{"a":1}}}');
  t.same(pruneUnknown(polluted, within({ type: "object" })), ["spec.__proto__"]);
  t.equal(JSON.stringify(polluted), '{"spec":{}}');
});

test("nulls that the schema does not allow are dropped or defaulted", async (t) => {
  const schema: JsonSchema = {
    type: "object",
    properties: {
      plain: text,
      nullable: { ...text, nullable: true },
      defaulted: { ...text, default: "d" },
      both: { ...text, nullable: true, default: "d" },
      list: { type: "array", items: { ...text, default: "i" } },
    },
    additionalProperties: undefined as never,
  };
  const cases: [unknown, unknown][] = [
    [{ plain: null }, { defaulted: "d", both: "d" }],
    [
      { nullable: null, both: null },
      { nullable: null, both: null, defaulted: "d" },
    ],
    [{ defaulted: null }, { defaulted: "d", both: "d" }],
    [{ list: ["a", null] }, { list: ["a", "i"], defaulted: "d", both: "d" }],
    [{ unknown: null }, { unknown: null, defaulted: "d", both: "d" }],
  ];
  for (const [before, after] of cases) {
    const value = structuredClone(before);
    dropNulls(value, schema);
    applyDefaultValues(value, schema);
    t.same(value, after, JSON.stringify(before));
  }
});

test("defaults fill what is there, and are nobody's but the object's own", async (t) => {
  const schema = within({
    type: "object",
    default: {},
    properties: { a: { type: "object", default: { b: 1 }, properties: { b: {}, c: { default: 2 } } } },
  });
  const [first, second] = [{}, {}] as [{ spec?: { a: { b: number } } }, object];
  applyDefaultValues(first, schema);
  applyDefaultValues(second, schema);
  t.same(first, { spec: { a: { b: 1, c: 2 } } });
  first.spec!.a.b = 9;
  t.same(second, { spec: { a: { b: 1, c: 2 } } });
  const values: JsonSchema = {
    type: "object",
    additionalProperties: { type: "object", properties: { x: { default: 1 } } },
  };
  const map = { one: {}, two: { x: 2 } };
  applyDefaultValues(map, values);
  t.same(map, { one: { x: 1 }, two: { x: 2 } });
});
