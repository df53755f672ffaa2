import { test } from "tap";
import type { CacheItem, RememberedRow } from "./cache-item.js";
import { RememberedRows } from "./remembered-rows.js";

test("only so many rows are remembered, and none of what is no longer current", (t) => {
  const rows = new RememberedRows({ limit: 2 });
  const row: RememberedRow = { cells: [], conditions: "", createdMs: 0, metadataEnd: 0 };
  const [a, b, c] = ["a", "b", "c"].map((name) => ({ name }) as CacheItem) as [CacheItem, CacheItem, CacheItem];
  const remembered = () => [a, b, c].filter((item) => item.row === row).map(({ name }) => name);
  rows.remember(a, row);
  rows.remember(b, row);
  rows.remember(c, row);
  t.same(remembered(), ["b", "c"]);
  rows.forget(b);
  rows.remember(a, row);
  t.same(remembered(), ["a", "c"]);
  t.end();
});
