// How low an OOM score this host lets a container have. Inside a container or a restricted VM without
// CAP_SYS_RESOURCE a score below one's own makes runc fail to start anything.

import { readFileSync } from "node:fs";

const capSysResource = 24n;

/** The lowest permitted score, from /proc/self/status and /proc/self/oom_score_adj. */
export function lowestOomScore({ status, ownScore }: { status: string; ownScore: string }): number {
  const effective = /^CapEff:\s*([0-9a-f]+)/m.exec(status)?.[1];
  const capable = effective !== undefined && ((BigInt(`0x${effective}`) >> capSysResource) & 1n) === 1n;
  return capable ? -1000 : Number(ownScore.trim());
}

/** The same for this process; -1000 where /proc does not tell. */
export function hostLowestOomScore(): number {
  try {
    return lowestOomScore({
      status: readFileSync("/proc/self/status", "utf8"),
      ownScore: readFileSync("/proc/self/oom_score_adj", "utf8"),
    });
  } catch {
    return -1000;
  }
}
