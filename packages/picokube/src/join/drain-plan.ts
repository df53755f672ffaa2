// Which pods go when a node leaves, and which keep it from leaving (upstream: kubectl's drain filters). Pure.

import type { Pod } from "@picokube/api/core/v1";

export interface DrainPlan {
  /** To be evicted. */
  readonly evict: readonly Pod[];
  /** Nobody would make these again elsewhere: "namespace/name". */
  readonly unmanaged: readonly string[];
}

export const podName = ({ metadata }: Pod) => `${metadata.namespace}/${metadata.name}`;

/** DaemonSets' pods and mirrors of static ones belong to the node and stay with it. */
export function planDrain(pods: readonly Pod[]): DrainPlan {
  const evict = pods.filter(({ metadata }) => {
    const owner = metadata.ownerReferences?.find(({ controller }) => controller);
    return owner?.kind !== "DaemonSet" && metadata.annotations?.["kubernetes.io/config.mirror"] === undefined;
  });
  const hasEnded = ({ status }: Pod) => status?.phase === "Succeeded" || status?.phase === "Failed";
  const unmanaged = evict.filter(
    (pod) => !hasEnded(pod) && !pod.metadata.ownerReferences?.some(({ controller }) => controller),
  );
  return { evict, unmanaged: unmanaged.map(podName) };
}
