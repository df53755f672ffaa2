// The ServiceCIDR "kubernetes" that the flag --service-cluster-ip-range means (upstream:
// kubernetes-service-cidr-controller): made when it is absent, given a second family, never changed otherwise.

import { semanticDeepEqual } from "@picokube/api/deep-equal";
import { type ServiceCIDR, servicecidrs } from "@picokube/api/networking/v1";
import { formatTime } from "@picokube/api/time";
import type { Clock } from "@picokube/component-base/clock";
import type { Logger } from "@picokube/component-base/logger";
import { ensure } from "../bootstrap/ensure.js";
import type { StorageRegistry } from "../storage/resource-storage.js";

const name = "kubernetes";

export interface DefaultServiceCidrOptions {
  readonly storage: StorageRegistry;
  readonly serviceCidrs: readonly string[];
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Resolves once it is there, to what ends the watch over it. */
export async function keepDefaultServiceCidr({
  storage,
  serviceCidrs,
  clock,
  logger,
}: DefaultServiceCidrOptions): Promise<() => void> {
  const stored = storage.for(servicecidrs);
  const cidrs = [...serviceCidrs];

  async function sync(): Promise<void> {
    const existing = await ensure(storage, servicecidrs, { metadata: { name }, spec: { cidrs } });
    const now = existing.spec?.cidrs ?? [];
    if (cidrs.length === 2 && now.length === 1 && now[0] === cidrs[0])
      await stored.update("", name, (object) => {
        object.spec = { cidrs };
      });
    else if (!semanticDeepEqual(now, cidrs))
      return logger.warn("The default ServiceCIDR does not match the flag --service-cluster-ip-range", { now, cidrs });
    if (existing.metadata.deletionTimestamp || readyCondition(existing)) return;
    await stored.update("", name, (object) => {
      const condition = {
        type: "Ready",
        status: "True",
        reason: "",
        message: "Kubernetes default Service CIDR is ready",
        lastTransitionTime: formatTime(clock.now()),
      };
      object.status = { ...object.status, conditions: [...(object.status?.conditions ?? []), condition] };
    });
  }

  await sync();
  return stored.onChange(({ type, object }) => {
    if (type === "DELETED" && object.metadata.name === name)
      sync().catch((error: unknown) => logger.warn("The default ServiceCIDR could not be made", { err: error }));
  });
}

function readyCondition({ status }: ServiceCIDR) {
  return status?.conditions?.find(({ type }) => type === "Ready");
}
