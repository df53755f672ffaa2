// Index sets and their text, by table.

import { test } from "tap";
import {
  countCommon,
  countIndexes,
  firstMissing,
  formatIntervals,
  hasIndex,
  parseIntervals,
  union,
  withIndexes,
} from "./index-intervals.js";

test("the text is read leniently and written as upstream writes it", async (t) => {
  const table: [string, number, string][] = [
    ["", 5, ""],
    ["0", 5, "0"],
    ["0,1", 5, "0,1"],
    ["0,1,2", 5, "0-2"],
    ["0,2-4,9", 10, "0,2-4,9"],
    ["0-2,3", 5, "0-3"],
    ["1-9", 5, "1-4"],
    ["7", 5, ""],
    ["x,1,2-y,3", 5, "1,3"],
  ];
  for (const [text, completions, want] of table)
    t.equal(formatIntervals(parseIntervals(text, completions)), want, `${text} of ${completions}`);
});

test("sets: union, members, counts", async (t) => {
  const set = (text: string) => parseIntervals(text, 100);
  t.equal(formatIntervals(union(set("0-2,8"), set("3,7,20-30"))), "0-3,7,8,20-30");
  t.equal(formatIntervals(withIndexes(set("1,5"), new Set([6, 4, 0]))), "0,1,4-6");
  t.equal(countIndexes(set("0-2,8")), 4);
  t.equal(countCommon(set("0-5,8-9"), set("4-8")), 3);
  for (const [index, want] of [
    [0, true],
    [2, true],
    [3, false],
    [8, true],
    [9, false],
  ] as const)
    t.equal(hasIndex(set("0-2,8"), index), want, String(index));
  t.strictSame(firstMissing(set("0,2-3"), { count: 3, completions: 10 }), [1, 4, 5]);
  t.strictSame(firstMissing(set("0,2-3"), { count: 9, completions: 5 }), [1, 4]);
  t.strictSame(firstMissing(set("0-4"), { count: 1, completions: 5 }), []);
  t.strictSame(firstMissing([], { count: 2, completions: 5 }), [0, 1]);
});
