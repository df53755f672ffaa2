// The APIServices of the groups that this server serves itself, so that kubectl get apiservices tells of them (upstream:
// the autoregister controller with apiVersionPriorities). Made if absent; nothing is routed by them.

import { type APIService, apiservices } from "@picokube/api/apiregistration/v1";
import { GROUP_PRIORITIES, type GroupPriority } from "../discovery/group-priorities.js";
import type { StorageRegistry } from "../storage/resource-storage.js";
import { ensure } from "./ensure.js";

function localApiService({ group, version, groupPriority, versionPriority }: GroupPriority) {
  return {
    metadata: {
      name: `${version}.${group}`,
      labels: { "kube-aggregator.kubernetes.io/automanaged": "onstart" },
    },
    spec: { ...(group === "" ? {} : { group }), version, groupPriorityMinimum: groupPriority, versionPriority },
  };
}

/** Makes those that are absent. */
export async function bootstrapApiServices(storage: StorageRegistry): Promise<void> {
  await Promise.all(
    GROUP_PRIORITIES.map((priority) => ensure<APIService>(storage, apiservices, localApiService(priority) as never)),
  );
}
