// subPath: a part of a volume, bound so that no symlink a container plants can lead out of the volume, neither when
// it is looked up nor later. Upstream's volume/util/subpath.

import { constants } from "node:fs";
import { chmod, type FileHandle, mkdir, open, realpath, stat, writeFile } from "node:fs/promises";
import { dirname, isAbsolute, join, relative } from "node:path";
import { mountBind, mountedBelow, unmount } from "./mounter.js";

const descend = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;

function isWithin(path: string, base: string): boolean {
  const way = relative(base, path);
  return way === "" || (!way.startsWith("../") && way !== ".." && !isAbsolute(way));
}

/** Opens a path below base one component at a time, never through a symlink; the caller closes it. */
export async function openWithoutSymlinks(base: string, path: string): Promise<FileHandle> {
  if (!isWithin(path, base)) throw new Error(`subpath "${path}" not within volume path "${base}"`);
  let current = await open(base, descend | constants.O_DIRECTORY);
  for (const name of relative(base, path).split("/").filter(Boolean)) {
    try {
      // The kernel resolves the descriptor, not the name it was opened by.
      const next = await open(`/proc/self/fd/${current.fd}/${name}`, descend);
      await current.close();
      current = next;
    } catch (error) {
      await current.close();
      throw new Error(`cannot open directory ${path}: ${(error as Error).message}`, { cause: error });
    }
  }
  return current;
}

/** Makes the directories of subPath that are missing, by descriptors too; does nothing where it leads to something. */
export async function makeSubPath(volumePath: string, subPath: string): Promise<void> {
  const base = await realpath(volumePath);
  if (await stat(join(base, subPath)).catch(() => undefined)) return;
  const mode = (await stat(base)).mode & 0o777;
  let reached = base;
  for (const name of subPath.split("/").filter((part) => part !== "" && part !== ".")) {
    const next = join(reached, name);
    if (!(await stat(next).catch(() => undefined))) {
      const inside = await openWithoutSymlinks(base, await realpath(reached));
      try {
        const made = `/proc/self/fd/${inside.fd}/${name}`;
        await mkdir(made);
        await chmod(made, mode);
      } finally {
        await inside.close();
      }
    }
    reached = await realpath(next);
    if (!isWithin(reached, base)) throw new Error(`subpath "${reached}" not within volume path "${base}"`);
  }
}

/** Binds volume/subPath, which is there, onto target and leaves what was bound there before. */
export async function bindSubPath({
  volumePath,
  subPath,
  target,
}: {
  volumePath: string;
  subPath: string;
  target: string;
}): Promise<void> {
  const base = await realpath(volumePath);
  const source = await openWithoutSymlinks(base, await realpath(join(base, subPath)));
  try {
    const isDirectory = (await source.stat()).isDirectory();
    for (const mounted of await mountedBelow(target)) await unmount(mounted);
    if (isDirectory) await mkdir(target, { recursive: true, mode: 0o750 });
    else {
      await mkdir(dirname(target), { recursive: true, mode: 0o750 });
      await writeFile(target, "", { mode: 0o640 });
    }
    await mountBind(`/proc/${process.pid}/fd/${source.fd}`, target);
  } finally {
    await source.close();
  }
}
