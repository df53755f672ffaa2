// Kills a process that writes with SIGKILL, again and again: no acknowledged write is lost, no revision repeats.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { realClock } from "@picokube/component-base/clock";
import { createLogger } from "@picokube/component-base/logger";
import { test } from "tap";
import { openLevelDbStore } from "./leveldb/store.js";

const KILLS = 50;
const WRITER = fileURLToPath(new URL("./crash-writer.js", import.meta.url));

/** Lets a writer run for a while, kills it and returns what it had acknowledged. */
async function writeUntilKilled(directory: string, round: number): Promise<[revision: number, key: string][]> {
  const child = spawn(process.execPath, [WRITER, directory, String(round)], { stdio: ["ignore", "pipe", "inherit"] });
  let output = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    output += text;
  });
  const closed = once(child, "close");
  await once(child.stdout, "data");
  await delay(20 + ((round * 37) % 120));
  child.kill("SIGKILL");
  await closed;
  const whole = output.slice(0, output.lastIndexOf("\n"));
  return whole.split("\n").map((line) => {
    const [revision, key] = line.split(" ");
    return [Number(revision), key!];
  });
}

test(`${KILLS} kills in mid-load lose nothing acknowledged and repeat no revision`, { timeout: 110_000 }, async (t) => {
  const directory = await mkdtemp(join(tmpdir(), "picokube-crash-"));
  t.teardown(() => rm(directory, { recursive: true, force: true }));
  const logger = createLogger({ name: "crash-test", verbosity: 0 });
  const keyOfRevision = new Map<number, string>();
  const newest = new Map<string, number>();
  const faults: string[] = [];

  for (let round = 0; round < KILLS; round++) {
    for (const [revision, key] of await writeUntilKilled(directory, round)) {
      if (keyOfRevision.has(revision)) faults.push(`revision ${revision}: ${keyOfRevision.get(revision)} and ${key}`);
      keyOfRevision.set(revision, key);
      newest.set(key, Math.max(newest.get(key) ?? 0, revision));
    }
  }

  const store = await openLevelDbStore({ directory, logger, clock: realClock() });
  t.teardown(() => store.close());
  const { revision: last } = await store.status();
  for (const [key, revision] of newest) {
    const found = await store.get(key);
    // The last update before a kill may be on disk and yet unacknowledged.
    if (!found || found.modRevision < revision)
      faults.push(`${key}: acknowledged at ${revision}, found ${found?.modRevision}`);
  }
  let position = 1;
  const controller = new AbortController();
  for await (const item of store.watch("/", { fromRevision: 1, signal: controller.signal })) {
    if (item.kind === "progress") break;
    const { revision, key } = item.event;
    if (revision !== position + 1) faults.push(`the log jumps from ${position} to ${revision}`);
    const acknowledged = keyOfRevision.get(revision);
    if (acknowledged !== undefined && acknowledged !== key)
      faults.push(`revision ${revision}: ${acknowledged} became ${key}`);
    position = revision;
  }
  t.same(faults.slice(0, 10), []);
  t.equal(position, last, "the log reaches the newest revision");
  t.ok(keyOfRevision.size > KILLS, `${keyOfRevision.size} writes were acknowledged`);
});
