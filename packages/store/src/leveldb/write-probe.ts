// Whether the disk under a store takes writes, found by asking and by writing. Touches no file of the store's.

import { open, rm, statfs } from "node:fs/promises";
import { join } from "node:path";

/** LevelDB writes its logs into tables when it opens, and merges tables: with less it would soon stop again. */
const ROOM_BYTES = 64 * 1024 * 1024;
const PROBE_BYTES = 64 * 1024;

/** True when there is room and a write beside the store's files reaches the disk. Never throws. */
export async function takesWrites(directory: string): Promise<boolean> {
  const path = join(directory, "write-probe.tmp");
  try {
    const { bavail, bsize } = await statfs(directory);
    if (bavail * bsize < ROOM_BYTES) return false;
    const file = await open(path, "w", 0o600);
    try {
      await file.writeFile(Buffer.alloc(PROBE_BYTES));
      await file.sync();
    } finally {
      await file.close();
    }
    return true;
  } catch {
    return false;
  } finally {
    await rm(path, { force: true }).catch(() => {});
  }
}
