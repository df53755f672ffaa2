// A child process of the crash test: writes as fast as it can and says on stdout what was acknowledged.

import { writeSync } from "node:fs";
import { realClock } from "@picokube/component-base/clock";
import { createLogger } from "@picokube/component-base/logger";
import { openLevelDbStore } from "./leveldb/store.js";

const [directory, round] = process.argv.slice(2);
const logger = createLogger({ name: "crash-writer", verbosity: 0 });
const store = await openLevelDbStore({ directory: directory!, logger, clock: realClock() });
const value = Buffer.alloc(2000, round);

/** Says what was acknowledged at once, so that a kill cannot lose it; a full pipe is waited for. */
function say(line: string): void {
  const bytes = Buffer.from(line);
  for (let sent = 0; sent < bytes.length; ) {
    try {
      sent += writeSync(1, bytes, sent);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EAGAIN") throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1);
    }
  }
}

async function write(writer: number): Promise<never> {
  const hot = `/hot/${writer}`;
  for (let index = 0; ; index++) {
    const key = `/${round}/${writer}/${index}`;
    const created = await store.create(key, value);
    say(`${created.modRevision} ${key}\n`);
    const before = await store.get(hot);
    const after = before ? await store.update(hot, value, before.modRevision) : await store.create(hot, value);
    say(`${after.modRevision} ${hot}\n`);
  }
}

await Promise.all(Array.from({ length: 16 }, (_, writer) => write(writer)));
