// Strategic merge patch by table: lists with keys, sets, directives, order.

import { test } from "tap";
import { PatchFault } from "./patch-fault.js";
import { strategicMergePatch } from "./strategic-merge-patch.js";

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
      expected: containers({ name: "a", image: "2", tty: true }, { name: "c" }, { name: "b" }),
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
      name: "finalizers merge as a set, in the order of the patch",
      original: { metadata: { finalizers: ["a/x"] } },
      patch: { metadata: { finalizers: ["b/y", "a/x"] } },
      expected: { metadata: { finalizers: ["b/y", "a/x"] } },
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
      name: "what is new stands before what only the server has",
      original: containers({ name: "web" }),
      patch: containers({ name: "sidecar" }),
      expected: containers({ name: "sidecar" }, { name: "web" }),
    },
    {
      name: "what only the server has keeps its place between what the patch orders",
      original: containers({ name: "a" }, { name: "s" }, { name: "b" }),
      patch: {
        spec: {
          "$setElementOrder/containers": [{ name: "b" }, { name: "a" }],
          containers: [{ name: "a", image: "i" }],
        },
      },
      expected: containers({ name: "s" }, { name: "b" }, { name: "a", image: "i" }),
    },
    {
      name: "an order alone sorts",
      original: { metadata: { finalizers: ["c/z", "a/x", "b/y"] } },
      patch: { metadata: { "$setElementOrder/finalizers": ["a/x", "b/y"] } },
      expected: { metadata: { finalizers: ["c/z", "a/x", "b/y"] } },
    },
    {
      name: "primitives are deleted and added in one patch",
      original: { metadata: { finalizers: ["a/x", "b/y"] } },
      patch: {
        metadata: {
          "$deleteFromPrimitiveList/finalizers": ["a/x"],
          "$setElementOrder/finalizers": ["c/z", "b/y"],
          finalizers: ["c/z"],
        },
      },
      expected: { metadata: { finalizers: ["c/z", "b/y"] } },
    },
    {
      name: "a map that server-side apply takes as a whole is merged here",
      original: { spec: { nodeSelector: { a: "1", b: "2" } } },
      patch: { spec: { nodeSelector: { b: null, c: "3" } } },
      expected: { spec: { nodeSelector: { a: "1", c: "3" } } },
    },
    {
      name: "a selector with the strategy replace is replaced",
      schema: { ref: "io.k8s.api.policy.v1.PodDisruptionBudget" },
      original: { spec: { selector: { matchLabels: { a: "1" } } } },
      patch: { spec: { selector: { matchLabels: { b: "2" } } } },
      expected: { spec: { selector: { matchLabels: { b: "2" } } } },
    },
    {
      name: "directives below items of a list",
      original: containers({
        name: "a",
        env: [{ name: "x", value: "1" }, { name: "y" }],
        ports: [{ containerPort: 80 }],
      }),
      patch: containers({
        name: "a",
        env: [{ name: "x", $patch: "delete" }],
        ports: [{ $patch: "replace" }, { containerPort: 81 }],
      }),
      expected: containers({ name: "a", env: [{ name: "y" }], ports: [{ containerPort: 81 }] }),
    },
    {
      name: "volumes merge by name and retain what they name",
      original: { spec: { volumes: [{ name: "v", emptyDir: {} }] } },
      patch: { spec: { volumes: [{ name: "v", $retainKeys: ["name", "hostPath"], hostPath: { path: "/" } }] } },
      expected: { spec: { volumes: [{ name: "v", hostPath: { path: "/" } }] } },
    },
    {
      name: "a deletion where there is nothing leaves nothing",
      original: {},
      patch: {
        spec: { nodeSelector: { $patch: "delete" } },
        metadata: { "$deleteFromPrimitiveList/finalizers": ["x"] },
      },
      expected: { spec: {}, metadata: {} },
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

test("patches that cannot be, in upstream's words", (t) => {
  const cases: [Json, Json, string, number?][] = [
    [
      containers({ name: "a" }),
      containers({ image: "i" }),
      "map: map[image:i] does not contain declared merge key: name",
    ],
    [{}, { $patch: "explode" }, "unknown patch type: explode in map: map[$patch:explode]"],
    [
      containers({ name: "a" }),
      containers({ $patch: "merge", name: "a" }),
      "merging lists cannot yet be specified in the patch",
    ],
    [
      containers({ name: "a" }),
      containers({ name: "a" }, "x" as never),
      "list element types are not identical: [[map[name:a]] [map[name:a] x]]",
    ],
    [
      { metadata: { finalizers: ["a"] } },
      { metadata: { finalizers: [["b"]] } },
      "lists of lists are not supported",
      422,
    ],
    [{}, { $retainKeys: ["a"], b: 1 }, "invalid patch format of retainKeys"],
    [{}, { $retainKeys: "a" }, "invalid patch format of retainKeys"],
    [{}, { "$deleteFromPrimitiveList.x": [] }, "invalid patch format of primitive list"],
    [{}, { $setElementOrder: [] }, "invalid patch format of setElementOrder list"],
    [
      containers({ name: "a" }),
      { spec: { "$setElementOrder/containers": [{ name: "a" }], containers: [{ name: "b" }] } },
      "The order in patch list:\n[map[name:b]]\n doesn't match $setElementOrder list:\n[map[name:a]]\n",
    ],
  ];
  for (const [original, patch, message, code = 400] of cases) {
    const fault = t.throws(() => strategicMergePatch(original, patch, pod), PatchFault) as PatchFault;
    t.same([fault.message, fault.code], [message, code]);
  }
  t.end();
});
