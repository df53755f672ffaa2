import { test } from "tap";
import { sameJson } from "./same-json.js";

test("equality is the wire's", (t) => {
  const same: [unknown, unknown][] = [
    [
      { a: 1, b: [1, { c: null }] },
      { b: [1, { c: null }], a: 1 },
    ],
    [{ a: undefined }, {}],
    [{}, { a: undefined }],
  ];
  for (const [a, b] of same) t.ok(sameJson(a, b), JSON.stringify([a, b]));
  const different: [unknown, unknown][] = [
    [{ a: 1 }, { a: "1" }],
    [
      [1, 2],
      [2, 1],
    ],
    [[], {}],
    [null, {}],
    [{ a: null }, {}],
    // Names that every object inherits are as absent as any other.
    [{}, { constructor: "x" }],
    [{ toString: "x" }, {}],
  ];
  for (const [a, b] of different) {
    t.notOk(sameJson(a, b), JSON.stringify([a, b]));
    t.notOk(sameJson(b, a), JSON.stringify([b, a]));
  }
  t.end();
});
