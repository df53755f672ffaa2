// Sizes of directories as the disk knows them.

import { linkSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "tap";
import { diskUsage } from "./disk-usage.js";

test("blocks and inodes, links once, nothing through symbolic links", async (t) => {
  const root = t.testdir({});
  const empty = await diskUsage(root);
  t.equal(empty.inodes, 1);
  mkdirSync(join(root, "below"));
  writeFileSync(join(root, "below", "data"), Buffer.alloc(1024 * 1024, 1));
  linkSync(join(root, "below", "data"), join(root, "again"));
  symlinkSync("/usr", join(root, "elsewhere"));
  const { bytes, inodes } = await diskUsage(root);
  t.equal(inodes, 4);
  t.ok(bytes >= 1024 * 1024 && bytes < 2 * 1024 * 1024, String(bytes));
  t.ok((await diskUsage(join(root, "again"))).bytes >= 1024 * 1024);
  t.same(await diskUsage(join(root, "missing")), { bytes: 0, inodes: 0 });
});
