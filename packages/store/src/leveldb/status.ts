// How the store is: revisions, size on disk, and why it refuses writes.

import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import type { StoreStatus } from "../store.js";
import { type Database, readRevisions } from "./database.js";

async function directorySize(directory: string): Promise<number> {
  const names = await readdir(directory);
  // LevelDB removes files while we look.
  const sizes = await Promise.all(
    names.map((name) =>
      stat(join(directory, name)).then(
        ({ size }) => size,
        () => 0,
      ),
    ),
  );
  return sizes.reduce((sum, size) => sum + size, 0);
}

/** Store.status. */
export async function statusOf(database: Database, fault: string | undefined): Promise<StoreStatus> {
  return { ...readRevisions(database), sizeBytes: await directorySize(database.location), fault };
}
