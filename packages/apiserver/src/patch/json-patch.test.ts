// JSON patch by table: what upstream's library does beside the RFC, and its words for each fault.

import { test } from "tap";
import { jsonPatch, type Operation } from "./json-patch.js";
import { PatchFault } from "./patch-fault.js";

type Json = { [field: string]: unknown };
const document = (): Json => ({ a: { b: 1, "c/d": { "~": null } }, list: ["x", "y", { z: 0 }] });

test("operations", (t) => {
  const cases: [string, Operation[], (result: Json) => unknown, unknown][] = [
    ["add a field", [{ op: "add", path: "/a/n", value: { m: 1 } }], ({ a }) => (a as Json).n, { m: 1 }],
    ["add without a value", [{ op: "add", path: "/a/n" }], ({ a }) => (a as Json).n, null],
    ["escapes", [{ op: "add", path: "/a/c~1d/~01", value: 2 }], ({ a }) => (a as Json)["c/d"], { "~": null, "~1": 2 }],
    ["insert", [{ op: "add", path: "/list/1", value: "n" }], ({ list }) => list, ["x", "n", "y", { z: 0 }]],
    ["append", [{ op: "add", path: "/list/-", value: "n" }], ({ list }) => list, ["x", "y", { z: 0 }, "n"]],
    [
      "insert from the end",
      [{ op: "add", path: "/list/-1", value: "n" }],
      ({ list }) => list,
      ["x", "y", { z: 0 }, "n"],
    ],
    ["remove from the end", [{ op: "remove", path: "/list/-1" }], ({ list }) => list, ["x", "y"]],
    ["replace", [{ op: "replace", path: "/list/2/z", value: 9 }], ({ list }) => list, ["x", "y", { z: 9 }]],
    ["replace adds a field", [{ op: "replace", path: "/new", value: 1 }], (result) => result.new, 1],
    ["replace all", [{ op: "replace", path: "", value: { q: 1 } }], (result) => result, { q: 1 }],
    ["move", [{ op: "move", from: "/a/b", path: "/list/0" }], ({ list }) => list, [1, "x", "y", { z: 0 }]],
    [
      "copy",
      [
        { op: "copy", from: "/list/2", path: "/a/copy" },
        { op: "add", path: "/a/copy/z", value: 5 },
      ],
      ({ list }) => list,
      ["x", "y", { z: 0 }],
    ],
    [
      "test null and absence",
      [
        { op: "test", path: "/a/none", value: null },
        { op: "test", path: "/a/c~1d/~0" },
      ],
      () => 1,
      1,
    ],
    [
      "test an object",
      [
        { op: "test", path: "/list/2", value: { z: 0 } },
        { op: "test", path: "", value: document() },
      ],
      () => 1,
      1,
    ],
  ];
  for (const [what, operations, of, expected] of cases) {
    const shown = JSON.stringify(operations);
    t.same(of(jsonPatch(document(), operations) as Json), expected, what);
    t.equal(JSON.stringify(operations), shown, `${what}: the patch stays, for the next attempt`);
  }
  t.end();
});

test("faults in the library's words", (t) => {
  const cases: [Operation, string][] = [
    [
      { op: "add", path: "/no/where", value: 1 },
      'add operation does not apply: doc is missing path: "/no/where": missing value',
    ],
    [
      { op: "add", path: "where", value: 1 },
      'add operation does not apply: doc is missing path: "where": missing value',
    ],
    [
      { op: "add", path: "/list/9", value: 1 },
      "error in add for path: '/list/9': Unable to access invalid index: 9: invalid index referenced",
    ],
    [
      { op: "add", path: "/list/x", value: 1 },
      `error in add for path: '/list/x': value was not a proper array index: 'x': strconv.Atoi: parsing "x": invalid syntax`,
    ],
    [{ op: "add", value: 1 }, "add operation failed to decode path: missing value"],
    [
      { op: "remove", path: "/a/none" },
      "error in remove for path: '/a/none': Unable to remove nonexistent key: none: missing value",
    ],
    [
      { op: "remove", path: "/list/3" },
      "error in remove for path: '/list/3': Unable to access invalid index: 3: invalid index referenced",
    ],
    [
      { op: "replace", path: "/list/7", value: 1 },
      "replace operation does not apply: doc is missing key: /list/7: missing value",
    ],
    [
      { op: "replace", path: "/no/where", value: 1 },
      "replace operation does not apply: doc is missing path: /no/where: missing value",
    ],
    [{ op: "replace", path: "", value: 1 }, "replace operation value must be object or array"],
    [
      { op: "move", from: "/a/none", path: "/b" },
      "error in move for path: 'none': Unable to remove nonexistent key: none: missing value",
    ],
    [
      { op: "move", from: "/a/b", path: "/no/where" },
      "move operation does not apply: doc is missing destination path: /no/where: missing value",
    ],
    [{ op: "copy", path: "/b" }, "copy operation failed to decode from: operation, missing from field: missing value"],
    [{ op: "test", path: "/a/b", value: 2 }, "testing value /a/b failed: test failed"],
    [{ op: "test", path: "/a/b/c", value: 2 }, "test operation does not apply: is missing path: /a/b/c: missing value"],
    [{ op: "_get", path: "/a" }, "Unexpected kind: _get"],
    [{ op: 1, path: "/a" }, "Unexpected kind: unknown"],
    [
      { op: "add", path: "/__proto__/polluted", value: 1 },
      'add operation does not apply: doc is missing path: "/__proto__/polluted": missing value',
    ],
  ];
  for (const [operation, message] of cases) {
    const fault = t.throws(() => jsonPatch(document(), [operation]), PatchFault) as PatchFault;
    t.equal(fault.message, message);
    t.equal(fault.code, 422);
  }
  jsonPatch(document(), [{ op: "add", path: "/__proto__", value: { polluted: 1 } }]);
  t.equal(({} as { polluted?: unknown }).polluted, undefined);
  t.end();
});

test("copies of copies stop at the limit", (t) => {
  const doubling = Array.from({ length: 60 }, (_, index) => ({ op: "copy", from: "/data", path: `/data/${index}` }));
  t.throws(() => jsonPatch({ data: { a: "x".repeat(1000) } }, doubling), {
    message: /^Unable to complete the copy, the accumulated size increase of copy is \d+, exceeding the limit 3145728$/,
  });
  t.end();
});
