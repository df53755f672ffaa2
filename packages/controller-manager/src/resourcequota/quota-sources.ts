// Local copies of whatever kinds quotas bound, made when the first quota bounds them: whole objects where their needs are
// counted, metadata where only their number is. Upstream's QuotaMonitor.

import { persistentvolumeclaims, pods, services } from "@picokube/api/core/v1";
import type { KubernetesObject } from "@picokube/api/meta/v1";
import { usageOf } from "@picokube/api/quota-usage";
import { type GroupResource, groupResourceName, type Resource } from "@picokube/api/resource";
import type { Informer } from "@picokube/client/informer";
import type { Dependencies } from "../dependencies.js";
import { discover } from "../discovery.js";

const WHOLE = new Map<string, Resource>(
  [pods, services, persistentvolumeclaims].map((resource) => [resource.resource, resource as Resource]),
);
const REDISCOVER_MS = 30_000;

export interface QuotaSources {
  /** Starts to follow the kind. "unknown" while the server does not serve it, "syncing" until all is listed once. */
  follow(resource: GroupResource, signal: AbortSignal): Promise<"synced" | "syncing" | "unknown">;
  /** What is known of the kind in a namespace. */
  list(resource: GroupResource, namespace: string): KubernetesObject[];
}

/** onUsageChange hears the namespace of each object whose usage changed. */
export function createQuotaSources(
  { client, informers, clock }: Pick<Dependencies, "client" | "informers" | "clock">,
  { onUsageChange }: { onUsageChange: (namespace: string) => void },
): QuotaSources {
  const followed = new Map<string, Informer<KubernetesObject>>();
  let served: readonly Resource[] = [];
  let discoveredMs = Number.NEGATIVE_INFINITY;

  async function servedAs({ group, resource }: GroupResource, signal: AbortSignal): Promise<Resource | undefined> {
    const whole = group === "" ? WHOLE.get(resource) : undefined;
    if (whole) return whole;
    const find = () => served.find((each) => each.group === group && each.resource === resource);
    if (!find() && clock.now() - discoveredMs >= REDISCOVER_MS) {
      const { preferred } = await discover(client, signal);
      discoveredMs = clock.now();
      served = preferred
        .filter(({ resource: each, verbs }) => each.namespaced && verbs.has("list") && verbs.has("watch"))
        .map(({ resource: each }) => each);
    }
    return find();
  }

  function start(resource: Resource): Informer<KubernetesObject> {
    const isWhole = resource.group === "" && WHOLE.has(resource.resource);
    const informer = informers.for<KubernetesObject>(resource, isWhole ? undefined : { metadataOnly: true });
    const tell = ({ metadata }: KubernetesObject) => onUsageChange(metadata.namespace ?? "");
    const words = (object: KubernetesObject) =>
      JSON.stringify(
        [...usageOf(resource, object, { nowMs: clock.now() })].map(([name, amount]) => [name, `${amount}`]),
      );
    informer.addHandler({
      add: tell,
      delete: tell,
      update(previous, current) {
        const isDeleting = previous.metadata.deletionTimestamp !== current.metadata.deletionTimestamp;
        if (isWhole && (isDeleting || words(previous) !== words(current))) tell(current);
      },
    });
    return informer;
  }

  return {
    async follow(wanted, signal) {
      const name = groupResourceName(wanted);
      let informer = followed.get(name);
      if (!informer) {
        const resource = await servedAs(wanted, signal);
        if (!resource) return "unknown";
        informer = followed.get(name) ?? start(resource);
        followed.set(name, informer);
      }
      return informer.hasSynced() ? "synced" : "syncing";
    },
    list: (resource, namespace) => followed.get(groupResourceName(resource))?.list(namespace) ?? [],
  };
}
