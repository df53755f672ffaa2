import { test } from "tap";
import { jsonPath } from "./json-path.js";

const object = {
  spec: {
    size: 3,
    names: ["a", "b", "c"],
    "dotted.name": "x",
    ports: [
      { name: "http", number: 80, open: true },
      { name: "https", number: 443 },
    ],
  },
  status: { conditions: [{ type: "Ready", status: "True" }, { type: "Other" }] },
};

test("paths of printer columns", async (t) => {
  const cases: [string, unknown[]][] = [
    [".spec.size", [3]],
    ["$.spec.size", [3]],
    [".spec.absent", []],
    [".spec.size.deeper", []],
    [".spec.names[0]", ["a"]],
    [".spec.names[-1]", ["c"]],
    [".spec.names[9]", []],
    [".spec.names[0:2]", ["a", "b"]],
    [".spec.names[1:]", ["b", "c"]],
    [".spec.names[::2]", ["a", "c"]],
    [".spec.names[0,2]", ["a", "c"]],
    [".spec.names[*]", ["a", "b", "c"]],
    [".spec['size']", [3]],
    [".spec['dotted.name']", ["x"]],
    [".spec.dotted\\.name", ["x"]],
    [".spec.ports[*].number", [80, 443]],
    [".spec.ports[?(@.number>100)].name", ["https"]],
    [".spec.ports[?(@.open)].name", ["http"]],
    [".spec.ports[?(@.open==true)].name", ["http"]],
    ['.status.conditions[?(@.type=="Ready")].status', ["True"]],
    [".status.conditions[?(@.type=='Other')].status", []],
    [".status.conditions[?(@.type!='Ready')].type", ["Other"]],
    ["..number", [80, 443]],
  ];
  for (const [path, expected] of cases) t.same(jsonPath(path)(object), expected, path);
});

test("paths that are none", async (t) => {
  for (const path of [".", ".a[", ".a[x]", '.a[?(@.b=="c]', ".a..", ".a[?(@.b==c)]"]) {
    t.throws(() => jsonPath(path), path);
  }
});
