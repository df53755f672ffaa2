// Duplicate fields and depth, by table.

import { test } from "tap";
import { findDuplicateFields, isTooDeep } from "./json-scanner.js";

test("duplicate fields", async (t) => {
  const cases: [string, string[]][] = [
    ["{}", []],
    ['{"a":1,"b":2}', []],
    ['{"a":1,"a":2}', ["a"]],
    ['{"spec":{"x":{"a":1},"x":{"b":1}}}', ["spec.x"]],
    ['{"spec":{"containers":[{"name":"a"},{"name":"b","image":"i","image":"j"}]}}', ["spec.containers[1].image"]],
    ['{"a":"\\"a\\":1,{","b":["a","a"],"c":{"a":1}}', []],
    ['{"\\u0061":1,"a":2}', ["a"]],
    ['{"a":[[{"k":1,"k":2}]]}', ["a[0][0].k"]],
    ['{"a":1,"a":2,"a":3}', ["a", "a"]],
  ];
  for (const [text, expected] of cases) t.same(findDuplicateFields(text), expected, text);
});

test("depth", async (t) => {
  t.equal(isTooDeep("[".repeat(5) + "]".repeat(5), 4), true);
  t.equal(isTooDeep("[[]][[]]", 2), false);
  t.equal(isTooDeep('"[[[[["', 2), false);
});

test("strings are leapt over, whatever they hold", async (t) => {
  t.same(findDuplicateFields(String.raw`{"a":"\\","a":"\"{[,\"a\":","\u0061":1}`), ["a", "a"]);
  t.same(findDuplicateFields(`{"a":"${'\\\\"'.repeat(5_000)}","b":1,"b":2}`), ["b"]);
  t.same(findDuplicateFields('{"":1,"":2,"l":[{"a":1},{"x":{"a":1,"a":2}}]}'), ["", "l[1].x.a"]);
  t.equal(isTooDeep(`"${"[".repeat(20)}\\""${"[".repeat(3)}`, 4), false);
  t.equal(isTooDeep(`"unfinished ${"[".repeat(20)}`, 4), false);
});
