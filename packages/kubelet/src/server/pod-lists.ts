// /pods and /runningpods: what should run here, and what the runtime shows to run.

import type { Pod } from "@picokube/api/core/v1";
import type { PodLookup } from "../parts.js";

const list = (items: readonly unknown[]) => ({ kind: "PodList", apiVersion: "v1", metadata: {}, items });

/** Every pod of the node with its newest status. */
export function podList(lookup: PodLookup): unknown {
  return list(
    lookup.pods().map((pod): Pod => ({ ...pod, status: lookup.status(pod.metadata.uid) ?? pod.status ?? {} })),
  );
}

/** Pods with a container or sandbox that runs, as upstream's kubecontainer.Pod.ToAPIPod shows them. */
export function runningPodList(lookup: PodLookup): unknown {
  return list(
    lookup.pods().flatMap(({ metadata: { name, namespace, uid } }) => {
      const state = lookup.state(uid);
      const running = (state?.containers ?? []).filter((container) => container.state === "running");
      if (running.length === 0 && !state?.sandboxes.some(({ ready }) => ready)) return [];
      const containers = running.map((container) => ({ name: container.name, image: container.image, resources: {} }));
      return [{ metadata: { name, namespace, uid, creationTimestamp: null }, spec: { containers }, status: {} }];
    }),
  );
}
