// The LevelDB driver under the contract, and what only this driver promises.

import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { realClock } from "@picokube/component-base/clock";
import { createLogger } from "@picokube/component-base/logger";
import { type Test, test } from "tap";
import { storeContract } from "../contract.js";
import { isUnavailable } from "../errors.js";
import { restoreLevelDb } from "./snapshot.js";
import { openLevelDbStore } from "./store.js";

const logger = createLogger({ name: "store-test", verbosity: 0 });
const openIn = (directory: string) => openLevelDbStore({ directory, logger, clock: realClock() });

async function temporary(t: Test): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), "picokube-store-"));
  t.teardown(() => rm(directory, { recursive: true, force: true }));
  return directory;
}

storeContract("leveldb", async (t) => {
  const directory = await temporary(t);
  let store = await openIn(directory);
  t.teardown(() => store.close());
  return {
    store,
    async reopen() {
      await store.close();
      store = await openIn(directory);
      return store;
    },
  };
});

test("a directory in use, or one that is a file, is refused in one line", async (t) => {
  const directory = await temporary(t);
  const store = await openIn(directory);
  await t.rejects(openIn(directory), { message: /^cannot open the store in .*: another process is using it$/ });
  await store.close();
  const file = join(directory, "file");
  await writeFile(file, "");
  const refused = await openIn(file).catch((error: unknown) => error as Error);
  t.ok(isUnavailable(refused));
  t.notMatch((refused as Error).message, "\n");
});

test("a closed store refuses everything", async (t) => {
  const store = await openIn(await temporary(t));
  await store.close();
  for (const attempt of [store.create("/a", Buffer.alloc(1)), store.get("/a"), store.list("/"), store.status()]) {
    await t.rejects(attempt as Promise<unknown>, { code: "Unavailable" });
  }
});

test("a snapshot restores history and all; a damaged one leaves nothing", async (t) => {
  const store = await openIn(await temporary(t));
  await store.create("/a", Buffer.from("1"));
  await store.update("/a", Buffer.from("2"), 2);
  const chunks: Buffer[] = [];
  for await (const chunk of store.snapshot()) chunks.push(chunk);
  await store.close();

  const directory = await temporary(t);
  const damaged = Buffer.concat(chunks);
  damaged[40]! ^= 1;
  const stream = async function* (whole: Buffer) {
    for (let at = 0; at < whole.length; at += 7) yield whole.subarray(at, at + 7);
  };
  await t.rejects(restoreLevelDb({ directory, chunks: stream(damaged) }), { code: "Unavailable" });
  await restoreLevelDb({ directory, chunks: stream(Buffer.concat(chunks)) });
  await t.rejects(restoreLevelDb({ directory, chunks: stream(Buffer.concat(chunks)) }), /already holds a store/);

  const restored = await openIn(directory);
  t.equal(String((await restored.get("/a"))?.value), "2");
  t.equal(String((await restored.get("/a", { revision: 2 }))?.value), "1");
  t.equal((await restored.status()).revision, 3);
  await restored.close();
});
