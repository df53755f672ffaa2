// Keeps the pod network configured: with the node's CIDR as soon as the API gives one, and again every minute, for
// others flush iptables and delete bridges.

import type { Node } from "@picokube/api/core/v1";
import type { Informer } from "@picokube/client/informer";
import type { Clock } from "@picokube/component-base/clock";
import type { Logger } from "@picokube/component-base/logger";
import type { PodNetwork } from "./pod-network.js";

export interface PodNetworkParts {
  readonly network: Pick<PodNetwork, "configure">;
  readonly node: () => Node | undefined;
  readonly nodeInformer: Informer<Node>;
}

const repairPeriodMs = 60_000;
const retryMs = 2_000;

/** Runs until the signal aborts. A podCidr given by flag wins over the node's. */
export async function runPodNetwork(
  { network, node, nodeInformer }: PodNetworkParts,
  { podCidr, clock, logger }: { podCidr: string | undefined; clock: Clock; logger: Logger },
  signal: AbortSignal,
): Promise<void> {
  let wake = new AbortController();
  const remove = nodeInformer.addHandler({
    add: () => wake.abort(),
    update: (previous, current) => {
      if (previous.spec?.podCIDR !== current.spec?.podCIDR) wake.abort();
    },
  });
  while (!signal.aborted) {
    wake = new AbortController();
    const cidr = podCidr ?? node()?.spec?.podCIDR;
    let waitMs = repairPeriodMs;
    if (cidr) {
      await network.configure(cidr).catch((err: unknown) => {
        logger.error("Cannot set up the pod network", { podCIDR: cidr, err });
        waitMs = retryMs;
      });
    }
    await clock.sleep(waitMs, AbortSignal.any([signal, wake.signal])).catch(() => undefined);
  }
  remove();
}
