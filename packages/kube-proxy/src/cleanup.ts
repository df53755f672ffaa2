// `kube-proxy --cleanup`: removes all of ours from every firewall that may hold it, and nothing else.

import { readFile } from "node:fs/promises";
import type { Logger } from "@picokube/component-base/logger";
import { type IptablesVariant, openIptables, saveAll } from "./iptables.js";
import { planCleanup } from "./jumps.js";
import { deleteCounters } from "./packet-counters.js";

const families = ["IPv4", "IPv6"] as const;

/** Both families and, unless one kind of iptables is named, both kinds. Rejects when what is there cannot be removed. */
export async function cleanUp(
  prefix: string,
  { variant, logger }: { variant: IptablesVariant | undefined; logger: Logger },
): Promise<void> {
  for (const family of families) {
    for (const kind of variant === undefined ? await kindsInUse(family) : [variant]) {
      const iptables = await openIptables({ family, variant: kind }).catch((error: unknown) => {
        logger.v(2).info("No iptables support for family", { ipFamily: family, variant: kind, err: error });
      });
      if (!iptables) continue;
      const input = planCleanup(prefix, await saveAll(iptables));
      if (input) await iptables.restore(input);
    }
  }
  await deleteCounters(prefix);
}

// The legacy command would load its modules into a kernel that does without them.
async function kindsInUse(family: (typeof families)[number]): Promise<IptablesVariant[]> {
  const names = `/proc/net/${family === "IPv6" ? "ip6" : "ip"}_tables_names`;
  const isLegacyUsed = (await readFile(names, "utf8").catch(() => "")) !== "";
  return isLegacyUsed ? ["", "nft", "legacy"] : [""];
}
