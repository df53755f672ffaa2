// What may be removed, and what may not, in a temporary directory.

import { lstat, mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "tap";
import { removeLocalPath } from "./local-path-agent.js";

const volume = "pvc-9c1b0d6e-0f2b-4a54-9a53-0d6c3b1f7e11";
const directory = `${volume}_shop_data`;

test("a kubelet removes the directory of the volume, and nothing else", async (t) => {
  const base = await mkdtemp(join(tmpdir(), "local-path-"));
  t.teardown(() => rm(base, { recursive: true, force: true }));
  const root = join(base, "local-path");
  const there = (...parts: string[]) => lstat(join(base, ...parts)).then(Boolean, () => false);
  const other = `${volume.replace("9c1b", "aaaa")}_shop_data`;
  for (const name of [directory, other]) {
    await mkdir(join(root, name, "pgdata"), { recursive: true });
    await writeFile(join(root, name, "pgdata", "rows"), "1");
  }
  await mkdir(join(base, "precious"));
  await symlink(join(base, "precious"), join(root, directory, "pgdata", "link"));

  const ways = ["..", "../precious", `${directory}/..`, "precious", "", ".", other, `${directory}/../../precious`];
  for (const way of ways)
    await t.rejects(removeLocalPath(root, { volume, directory: way }), /is no directory of volume/, way);
  t.ok(await there("local-path", directory, "pgdata", "rows"));

  await removeLocalPath(root, { volume, directory });
  t.notOk(await there("local-path", directory));
  t.ok(await there("local-path", other, "pgdata", "rows"), "its neighbour stays");
  t.ok(await there("precious"), "a link is removed, not what it points to");
  await removeLocalPath(root, { volume, directory });
  t.pass("what is gone is removed");

  await symlink(join(base, "precious"), join(root, directory));
  await t.rejects(removeLocalPath(root, { volume, directory }), /is not a directory$/);
  t.ok(await there("precious"));
});
