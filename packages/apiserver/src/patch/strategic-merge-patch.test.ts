// Strategic merge patch by table: lists with keys, sets, directives, order.

import { test } from "tap";
import { PatchFault, strategicMergePatch } from "./strategic-merge-patch.js";

const pod = { ref: "io.k8s.api.core.v1.Pod" };
const deployment = { ref: "io.k8s.api.apps.v1.Deployment" };

type Json = { [field: string]: unknown };
const containers = (...list: Json[]): Json => ({ spec: { containers: list } });

test("strategic merge patch", async (t) => {
  const cases: { name: string; original: Json; patch: Json; expected: Json; schema?: object }[] = [
    {
      name: "maps merge, null deletes",
      original: { metadata: { labels: { a: "1", b: "2" } } },
      patch: { metadata: { labels: { a: null, c: "3" } } },
      expected: { metadata: { labels: { b: "2", c: "3" } } },
    },
    {
      name: "lists of maps merge by key",
      original: containers({ name: "a", image: "1", tty: true }, { name: "b" }),
      patch: containers({ name: "a", image: "2" }, { name: "c" }),
      expected: containers({ name: "a", image: "2", tty: true }, { name: "b" }, { name: "c" }),
    },
    {
      name: "atomic lists are replaced",
      original: containers({ name: "a", args: ["x", "y"] }),
      patch: containers({ name: "a", args: ["z"] }),
      expected: containers({ name: "a", args: ["z"] }),
    },
    {
      name: "$patch: delete removes an item",
      original: containers({ name: "a" }, { name: "b" }),
      patch: containers({ name: "a", $patch: "delete" }),
      expected: containers({ name: "b" }),
    },
    {
      name: "$patch: replace in a list",
      original: containers({ name: "a" }, { name: "b" }),
      patch: containers({ name: "c" }, { $patch: "replace" }),
      expected: containers({ name: "c" }),
    },
    {
      name: "$patch: replace in a map",
      original: { spec: { nodeSelector: { a: "1" } } },
      patch: { spec: { nodeSelector: { $patch: "replace", b: "2" } } },
      expected: { spec: { nodeSelector: { b: "2" } } },
    },
    {
      name: "$patch: delete of a map that is there",
      original: { spec: { securityContext: { runAsUser: 1 } } },
      patch: { spec: { securityContext: { $patch: "delete" } } },
      expected: { spec: { securityContext: {} } },
    },
    {
      name: "finalizers merge as a set",
      original: { metadata: { finalizers: ["a/x"] } },
      patch: { metadata: { finalizers: ["b/y", "a/x"] } },
      expected: { metadata: { finalizers: ["a/x", "b/y"] } },
    },
    {
      name: "$deleteFromPrimitiveList",
      original: { metadata: { finalizers: ["a/x", "b/y"] } },
      patch: { metadata: { "$deleteFromPrimitiveList/finalizers": ["a/x"] } },
      expected: { metadata: { finalizers: ["b/y"] } },
    },
    {
      name: "$setElementOrder",
      original: containers({ name: "a" }, { name: "b" }),
      patch: {
        spec: {
          "$setElementOrder/containers": [{ name: "c" }, { name: "b" }, { name: "a" }],
          containers: [{ name: "c", image: "i" }],
        },
      },
      expected: containers({ name: "c", image: "i" }, { name: "b" }, { name: "a" }),
    },
    {
      name: "$retainKeys clears the other members of a union",
      schema: deployment,
      original: { spec: { strategy: { type: "RollingUpdate", rollingUpdate: { maxSurge: 1 } } } },
      patch: { spec: { strategy: { $retainKeys: ["type"], type: "Recreate" } } },
      expected: { spec: { strategy: { type: "Recreate" } } },
    },
    {
      name: "new content carries no nulls and no directives",
      original: {},
      patch: containers({ name: "a", image: null, env: [{ name: "x", $patch: "delete" }, { name: "y" }] }),
      expected: containers({ name: "a", env: [{ name: "y" }] }),
    },
    {
      name: "__proto__ does no harm",
      original: {},
      patch: JSON.parse('{"__proto__":{"polluted":true},"a":{"__proto__":{"polluted":true}}}'),
      expected: { a: {} },
    },
  ];
  for (const { name, original, patch, expected, schema = pod } of cases) {
    const before = structuredClone(original);
    t.same(strategicMergePatch(original, patch, schema), expected, name);
    t.same(original, before, `${name}: the original stays`);
  }
  t.equal(({} as { polluted?: boolean }).polluted, undefined);
});

test("patches that cannot be", async (t) => {
  t.throws(() => strategicMergePatch(containers({ name: "a" }), containers({ image: "i" }), pod), PatchFault);
  t.throws(() => strategicMergePatch({}, { $patch: "explode" }, pod), { message: /Unknown patch type/ });
});
