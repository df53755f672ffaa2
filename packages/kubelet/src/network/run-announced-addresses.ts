// Keeps the addresses that this node announces true to the Services: service-lb-controller names a node on each Service
// that has an address of a pool. Without an apiserver everything stays as it is.

import { isIPv4 } from "node:net";
import type { Service } from "@picokube/api/core/v1";
import type { Informer } from "@picokube/client/informer";
import type { Clock } from "@picokube/component-base/clock";
import type { Logger } from "@picokube/component-base/logger";
import { addAddress, planAnnouncements, readAddresses, removeAddress, tellNeighbours } from "./announced-addresses.js";

/** Written by controller-manager/src/service-lb/announcer.ts. */
const announcerAnnotation = "load-balancer.picokube.io/announced-by";

export interface AnnouncedAddressesOptions {
  readonly informer: Informer<Service>;
  readonly nodeName: string;
  /** Tells this cluster's addresses from another's. */
  readonly bridge: string;
  readonly clock: Clock;
  readonly logger: Logger;
}

export interface AnnouncedAddresses {
  run(signal: AbortSignal): Promise<void>;
}

const repairPeriodMs = 60_000;
const retryMs = 1_000;
/** Services that come together are looked at together. */
const gatherMs = 20;

/** The addresses that the Service has of the pool and this node is to announce. */
export function announcedIps({ metadata, status }: Service, nodeName: string): string[] {
  if (metadata.annotations?.[announcerAnnotation] !== nodeName) return [];
  return (status?.loadBalancer?.ingress ?? []).flatMap((ingress) =>
    ingress.ip && isIPv4(ingress.ip) ? [ingress.ip] : [],
  );
}

/** Nothing on the machine changes before run. */
export function createAnnouncedAddresses(options: AnnouncedAddressesOptions): AnnouncedAddresses {
  const { informer, nodeName, bridge, clock, logger } = options;

  async function reconcile(): Promise<void> {
    // Before the first list all would seem to be too many.
    if (!informer.hasSynced()) return;
    const wanted = new Set(informer.list().flatMap((service) => announcedIps(service, nodeName)));
    const present = await readAddresses(bridge);
    const { add, remove } = planAnnouncements(wanted, present);
    for (const address of remove) {
      await removeAddress(address, bridge);
      logger.info("Announces the address of a load balancer no more", { address });
    }
    for (const address of add) {
      await addAddress(address, bridge);
      logger.info("Announces the address of a load balancer", { address });
    }
    // Told again at every repair: whoever slept through it the first time.
    await Promise.all(
      [...wanted].filter((address) => add.includes(address) || present.ours.has(address)).map(tellNeighbours),
    );
  }

  return {
    async run(signal) {
      let wake = new AbortController();
      const changed = (...services: Service[]) => {
        if (services.some((service) => announcedIps(service, nodeName).length > 0)) wake.abort();
      };
      const remove = informer.addHandler({
        add: (service) => changed(service),
        update: (previous, service) => changed(previous, service),
        delete: (service) => changed(service),
      });
      while (!signal.aborted) {
        wake = new AbortController();
        const failed = await reconcile().then(
          () => false,
          (err: unknown) => {
            logger.error("Cannot announce load balancers' addresses, will retry", { err });
            return true;
          },
        );
        const waitMs = failed || !informer.hasSynced() ? retryMs : repairPeriodMs;
        await clock.sleep(waitMs, AbortSignal.any([signal, wake.signal])).catch(() => undefined);
        await clock.sleep(gatherMs, signal).catch(() => undefined);
      }
      remove();
    },
  };
}
