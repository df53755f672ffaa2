// What a cluster derives from its data directory to be apart from others on its machine: a tag, and the order in which it looks
// for ports and ranges. Each further one begins somewhere else, and what is another's comes last, so that one that is down, or
// whose machine was rebooted, finds its own free again.

import { defaultDataDir } from "./cluster.js";

/** All numbers below count in the order in which to try them; the machine's first cluster begins at 0. */
export function stepsOf(dataDir: string, count: number, isAnothers: (step: number) => boolean): number[] {
  const first = dataDir === defaultDataDir ? 0 : hashOf(dataDir) % count;
  const all = Array.from({ length: count }, (_, i) => (first + i) % count);
  return [...all.filter((step) => !isAnothers(step)), ...all.filter(isAnothers)];
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
