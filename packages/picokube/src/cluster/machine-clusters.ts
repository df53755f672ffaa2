// The clusters of this machine. Each is entered in one place, so that a new one leaves alone what is another's also while that
// one is down: its ports and ranges then look free. Of one network namespace, as those are.

import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readlinkSync, rmdirSync, rmSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { type Cluster, pathsOf, readCluster } from "./cluster.js";

const defaultRegister = "/var/lib/picokube-clusters";

/** "4026531840-": of whatever runs in this network namespace. */
function prefix(): string {
  return `${/\d+/.exec(readlinkSync("/proc/self/ns/net"))![0]}-`;
}

function idOf(dataDir: string): string {
  return createHash("sha256").update(dataDir).digest("hex").slice(0, 16);
}

function entriesOf(register: string): string[] {
  return existsSync(register) ? readdirSync(register) : [];
}

/** Enters the cluster, whose settings must be written already; entered again, it is there once. */
export function enterCluster(dataDir: string, register = defaultRegister): void {
  removeFromRegister(dataDir, register);
  for (;;) {
    mkdirSync(register, { recursive: true });
    try {
      symlinkSync(dataDir, join(register, prefix() + idOf(dataDir)));
      return;
    } catch (error) {
      // Another took its last entry out just now, and the directory with it.
      if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    }
  }
}

/** Takes the cluster out, and those whose settings somebody has removed. */
export function removeFromRegister(dataDir: string, register = defaultRegister): void {
  for (const entry of entriesOf(register)) {
    const path = join(register, entry);
    const isThere = existsSync(pathsOf({ dataDir: path }).settings);
    if (!isThere || entry.endsWith(`-${idOf(dataDir)}`)) rmSync(path, { force: true });
  }
  try {
    rmdirSync(register);
  } catch {
    // Others are in it, or it is gone.
  }
}

/** All but the cluster of that directory; without those whose settings cannot be read. */
export function otherClusters(dataDir: string, register = defaultRegister): Cluster[] {
  const found: Cluster[] = [];
  for (const entry of entriesOf(register)) {
    if (!entry.startsWith(prefix()) || entry.endsWith(`-${idOf(dataDir)}`)) continue;
    try {
      const cluster = readCluster(join(register, entry));
      if (cluster) found.push(cluster);
    } catch {
      // Whose it is will be told of it; it holds up no other.
    }
  }
  return found;
}
