// A disk that runs full, and one that is read-only. Needs root, to mount small file systems.

import { execFileSync } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { realClock } from "@picokube/component-base/clock";
import type { Logger } from "@picokube/component-base/logger";
import { test } from "tap";
import { isUnavailable } from "../errors.js";
import { openLevelDbStore } from "./store.js";

const silent: Logger = { info() {}, warn() {}, error() {}, v: () => silent, with: () => silent };
const openIn = (directory: string) => openLevelDbStore({ directory, logger: silent, clock: realClock() });

test("a full disk stops writes with a clear message, reads go on, nothing acknowledged is lost", async (t) => {
  const directory = await mkdtemp(join(tmpdir(), "picokube-full-"));
  execFileSync("mount", ["-t", "tmpfs", "-o", "size=12m", "picokube-test", directory]);
  t.teardown(async () => {
    execFileSync("umount", ["-l", directory]);
    await rm(directory, { recursive: true });
  });
  const store = await openIn(directory);
  const acknowledged: string[] = [];
  const value = Buffer.from(Array.from({ length: 64 * 1024 }, () => Math.random() * 256));
  let refused: unknown;
  for (let index = 0; refused === undefined && index < 1000; index++) {
    await store.create(`/k/${index}`, value).then(
      ({ key }) => acknowledged.push(key),
      (error: unknown) => {
        refused = error;
      },
    );
  }
  t.ok(isUnavailable(refused));
  t.match((refused as Error).message, /^the store refuses writes: .*No space left on device$/);
  t.match((await store.status()).fault, /No space left on device/);
  t.ok(await store.get(acknowledged.at(-1)!), "reads go on");
  t.equal((await store.list("/k/")).items.length, acknowledged.length);
  await t.rejects(store.create("/another", Buffer.from("x")), { code: "Unavailable" });
  t.equal(await store.recoverable(), false, "the disk is still full");
  execFileSync("mount", ["-o", "remount,size=128m", directory]);
  t.equal(await store.recoverable(), true, "there is room again");
  await t.rejects(store.create("/another", Buffer.from("x")), { code: "Unavailable" }, "but not for this opening");
  await store.close();

  const again = await openIn(directory);
  const found = new Set((await again.list("/k/")).items.map(({ key }) => key));
  t.same(
    acknowledged.filter((key) => !found.has(key)),
    [],
  );
  t.ok(await again.create("/another", Buffer.from("x")), "with room again it writes");
  await again.close();

  execFileSync("mount", ["-o", "remount,ro", directory]);
  await t.rejects(openIn(directory), { message: /^cannot open the store in .*: .*Read-only file system$/ });
  execFileSync("mount", ["-o", "remount,rw", directory]);
});
