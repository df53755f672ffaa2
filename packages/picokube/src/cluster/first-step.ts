// Where a cluster begins to look for what must be its own on a machine: each further one somewhere else, so that one that is
// down, or whose machine was rebooted, finds its ports and ranges free when it comes back.

import { defaultDataDir } from "./cluster.js";

/** Below steps; 0 for the machine's first cluster. */
export function firstStepOf(dataDir: string, steps: number): number {
  return dataDir === defaultDataDir ? 0 : hashOf(dataDir) % steps;
}

/** Three letters out of a data directory: enough to keep a few clusters on one host apart within the kernel's short names. */
export function shortTag(dataDir: string): string {
  const hash = hashOf(dataDir);
  return [676, 26, 1].map((place) => String.fromCharCode(97 + (Math.floor(hash / place) % 26))).join("");
}

/** Below 26 to the power of 3. */
function hashOf(path: string): number {
  let hash = 0;
  for (const char of path) hash = (hash * 31 + char.charCodeAt(0)) % 17_576;
  return hash;
}
