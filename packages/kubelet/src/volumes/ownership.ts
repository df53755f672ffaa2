// fsGroup: who may read and write the files of a volume. Upstream's volume.SetVolumeOwnership.

import { chmod, chown, lchown, lstat, readdir } from "node:fs/promises";
import { join } from "node:path";
import type { Pod } from "@picokube/api/core/v1";

/** Gives everything below path to the group, readable, and writable unless readOnly; symlinks are not followed. */
export async function setGroupOwnership(
  path: string,
  fsGroup: number,
  { readOnly }: { readOnly: boolean },
): Promise<void> {
  const info = await lstat(path);
  if (info.isSymbolicLink()) return lchown(path, info.uid, fsGroup);
  await chown(path, info.uid, fsGroup);
  const mask = readOnly ? 0o440 : 0o660;
  // A new file in a directory with setgid belongs to the directory's group.
  const more = info.isDirectory() ? 0o2110 : 0;
  await chmod(path, (info.mode & 0o7777) | mask | more);
  if (!info.isDirectory()) return;
  for (const name of await readdir(path)) await setGroupOwnership(join(path, name), fsGroup, { readOnly });
}

/** The one user that all containers run as, if there is one: upstream's FsUserFrom. */
export function fsUserOf(pod: Pod): number | undefined {
  const { containers = [], initContainers = [], ephemeralContainers = [], securityContext } = pod.spec ?? {};
  let user: number | undefined;
  for (const { securityContext: own } of [...initContainers, ...containers, ...ephemeralContainers]) {
    const runAsUser = own?.runAsUser ?? securityContext?.runAsUser;
    if (runAsUser === undefined || (user !== undefined && user !== runAsUser)) return undefined;
    user = runAsUser;
  }
  return user;
}
