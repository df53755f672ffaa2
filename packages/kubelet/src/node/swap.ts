// Whether the node swaps: upstream's kubelet does not start on one that does unless it is told to. Reads, never writes.

import { readFile } from "node:fs/promises";
import { ConfigError } from "@picokube/component-base/config-error";

/** Upstream's words for the areas of a /proc/swaps; undefined where there are none. */
export function swapRefusal(procSwaps: string): string | undefined {
  const lines = procSwaps.trim().split("\n");
  if (lines.length <= 1) return undefined;
  return `running with swap on is not supported, please disable swap or set --fail-swap-on flag to false. /proc/swaps contained: [${lines.join(" ")}]`;
}

/** Throws ConfigError on a node that swaps. */
export async function refuseSwap(): Promise<void> {
  const refusal = swapRefusal(await readFile("/proc/swaps", "utf8").catch(() => ""));
  if (refusal) throw new ConfigError(refusal);
}
