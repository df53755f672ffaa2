// How much of a disk a directory takes, as du(1) counts it. Reads, follows no symbolic link, crosses no file system.

import { lstat, readdir } from "node:fs/promises";
import { join } from "node:path";

const blockBytes = 512;
const parallel = 16;

/** Blocks and inodes below the path, itself included; hard links count once; what vanishes meanwhile counts nothing. */
export async function diskUsage(path: string): Promise<{ bytes: number; inodes: number }> {
  const root = await lstat(path).catch(() => undefined);
  if (!root) return { bytes: 0, inodes: 0 };
  const seen = new Set([root.ino]);
  let bytes = root.blocks * blockBytes;
  const folders = root.isDirectory() ? [path] : [];
  for (let folder = folders.pop(); folder !== undefined; folder = folders.pop()) {
    const names = await readdir(folder).catch(() => []);
    for (let start = 0; start < names.length; start += parallel) {
      const paths = names.slice(start, start + parallel).map((name) => join(folder!, name));
      const found = await Promise.all(paths.map((one) => lstat(one).catch(() => undefined)));
      for (const [index, stats] of found.entries()) {
        if (!stats || stats.dev !== root.dev || seen.has(stats.ino)) continue;
        seen.add(stats.ino);
        bytes += stats.blocks * blockBytes;
        if (stats.isDirectory()) folders.push(paths[index]!);
      }
    }
  }
  return { bytes, inodes: seen.size };
}
