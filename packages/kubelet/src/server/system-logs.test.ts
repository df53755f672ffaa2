// /logs/ shows files and folders of its root, and nothing beyond it.

import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { test } from "tap";
import { systemLog } from "./system-logs.js";

test("the file server", async (t) => {
  const place = t.testdir({ secret: "kept" });
  const root = join(place, "log");
  mkdirSync(join(root, "pods"), { recursive: true });
  writeFileSync(join(root, "a<b.log"), "words\n");
  writeFileSync(join(root, "empty.log"), "");
  symlinkSync("../secret", join(root, "out"));
  symlinkSync("a<b.log", join(root, "in"));

  const listing = await systemLog(root, "/");
  t.match(listing, { kind: "listing", html: '<a href="a%3Cb.log">a&lt;b.log</a>\n' });
  t.match(listing, { html: '<a href="pods/">pods/</a>' });
  t.match(await systemLog(root, "/pods"), { kind: "redirect", location: "pods/" });
  for (const path of ["/a<b.log", "/in"]) {
    const file = await systemLog(root, path);
    t.equal(file.kind === "file" && (await text(file.content)), "words\n", path);
  }
  const empty = await systemLog(root, "/empty.log");
  t.equal(empty.kind === "file" && (await text(empty.content)), "");
  for (const path of ["/out", "/../secret", "/pods/../../secret", "/none"]) {
    await t.rejects(systemLog(root, path), { code: 404 }, path);
  }
});
