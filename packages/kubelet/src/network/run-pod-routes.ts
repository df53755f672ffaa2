// Keeps the routes to other nodes' pods true: follows all Nodes by watch, plans, applies, and repairs now and then, for
// others flush routing tables. Without an apiserver everything stays as it is.

import type { Node } from "@picokube/api/core/v1";
import type { Informer } from "@picokube/client/informer";
import type { Clock } from "@picokube/component-base/clock";
import type { Logger } from "@picokube/component-base/logger";
import { applyRoutes, readHostRoutes, rememberRoutes } from "./pod-routes.js";
import { type PodNetworkBackend, planRoutes } from "./routes-plan.js";

export interface PodRoutesOptions {
  /** Of all Nodes. */
  readonly informer: Informer<Node>;
  readonly nodeName: string;
  readonly address: string;
  /** This node's; undefined until it is known. */
  readonly podCidr: () => string | undefined;
  readonly backend: PodNetworkBackend;
  readonly bridge: string;
  readonly clusterCidr: string;
  /** What was done is remembered there. */
  readonly directory: string;
  readonly clock: Clock;
  readonly logger: Logger;
}

export interface PodRoutes {
  /** Whether pods' packets to some node travel in a tunnel now. */
  usesTunnel(): boolean;
  run(signal: AbortSignal): Promise<void>;
}

const repairPeriodMs = 60_000;
const retryMs = 1_000;
/** Nodes that come together are planned together. */
const gatherMs = 20;

/** What of a Node the routes depend on. */
const routeKey = ({ spec, status }: Node) =>
  `${spec?.podCIDR} ${status?.addresses?.find(({ type }) => type === "InternalIP")?.address}`;

/** Nothing on the machine changes before run. */
export function createPodRoutes(options: PodRoutesOptions): PodRoutes {
  const { informer, nodeName, address, backend, bridge, clusterCidr, directory, clock, logger } = options;
  let tunnels = backend === "vxlan";
  let told = "";

  async function reconcile(): Promise<void> {
    const podCidr = options.podCidr();
    // Before the first list all peers' routes would seem to be too many.
    if (podCidr === undefined || !informer.hasSynced()) return;
    const plan = planRoutes({
      self: { name: nodeName, address, podCidr },
      nodes: informer.list(),
      hostRoutes: await readHostRoutes(),
      backend,
      bridge,
      clusterCidr,
    });
    tunnels = backend === "vxlan" || plan.tunnel !== undefined;
    if (plan.routes.length > 0) rememberRoutes({ bridge, clusterCidr }, directory);
    const changes = await applyRoutes(plan, { bridge, clusterCidr });
    if (changes > 0)
      logger.info("Routes to other nodes' pods are set", {
        direct: plan.routes.length - (plan.tunnel?.peers.length ?? 0),
        tunnelled: plan.tunnel?.peers.length ?? 0,
      });
    const words = plan.unreachable.join("; ");
    if (words !== told && words !== "")
      logger.warn("Pods of some nodes cannot be reached", { reasons: plan.unreachable });
    told = words;
  }

  return {
    usesTunnel: () => tunnels,
    async run(signal) {
      let wake = new AbortController();
      const remove = informer.addHandler({
        add: () => wake.abort(),
        update: (previous, current) => {
          if (routeKey(previous) !== routeKey(current)) wake.abort();
        },
        delete: () => wake.abort(),
      });
      while (!signal.aborted) {
        wake = new AbortController();
        const failed = await reconcile().then(
          () => false,
          (err: unknown) => {
            logger.error("Cannot set the routes to other nodes' pods, will retry", { err });
            return true;
          },
        );
        const unready = options.podCidr() === undefined || !informer.hasSynced();
        const waitMs = failed || unready ? retryMs : repairPeriodMs;
        await clock.sleep(waitMs, AbortSignal.any([signal, wake.signal])).catch(() => undefined);
        await clock.sleep(gatherMs, signal).catch(() => undefined);
      }
      remove();
    },
  };
}
