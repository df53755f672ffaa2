// local volumes: a path of the node that must be there. The one exception are the directories of this node's own
// provisioned volumes, which come to be when they are first mounted.

import { chmod, mkdir, stat } from "node:fs/promises";
import { basename, dirname } from "node:path";
import type { Pod } from "@picokube/api/core/v1";
import { isLocalPathDirectory } from "@picokube/api/storage/local-path";
import { setGroupOwnership } from "./ownership.js";

/** Anyone may write: whose data it will be only the pod knows. */
const mode = 0o777;

async function makeOwn(path: string): Promise<void> {
  await mkdir(path, { recursive: true });
  // Past the umask.
  await chmod(path, mode);
}

/** What setGroupOwnership leaves on a directory: upstream's requiresPermissionChange looks for it on the root alone. */
const ownedMode = 0o2770;

/** Gives the path back, with its files in the pod's fsGroup. Throws upstream's words when it is not there. */
export async function setUpLocal(path: string, { pod, localRoot }: { pod: Pod; localRoot: string }): Promise<string> {
  const own = dirname(path) === localRoot && isLocalPathDirectory(basename(path));
  let info = await stat(path).catch(() => undefined);
  if (!info && own) {
    await makeOwn(path);
    info = await stat(path);
  }
  if (!info) throw new Error(`path "${path}" does not exist`);
  const { fsGroup, fsGroupChangePolicy } = pod.spec?.securityContext ?? {};
  const mismatch = info.gid !== fsGroup || (info.mode & ownedMode) !== ownedMode;
  if (fsGroup !== undefined && (fsGroupChangePolicy !== "OnRootMismatch" || mismatch))
    await setGroupOwnership(path, fsGroup, { readOnly: false });
  return path;
}
