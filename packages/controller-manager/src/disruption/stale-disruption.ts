// Takes back a pod's condition DisruptionTarget when nobody has ended the pod within two minutes.
// Watches: Pods. Writes: Pod status. Upstream's stalePodDisruption queue of the disruption controller.

import { type Pod, pods } from "@picokube/api/core/v1";
import { isPodTerminal, podCondition, withPodCondition } from "@picokube/api/pod";
import type { Controller } from "@picokube/client/controller";
import type { ObjectKey } from "@picokube/client/informer";
import { keyOf } from "@picokube/client/object-key";
import type { Dependencies } from "../dependencies.js";

const timeoutMs = 120_000;

/** How long until the condition is stale; undefined when it never is: none, or one of a pod that ends. */
export function staleInMs(pod: Pod, nowMs: number): number | undefined {
  const condition = podCondition(pod.status, "DisruptionTarget");
  // The kubelet's own may long precede the end.
  if (condition?.status !== "True" || condition.reason === "TerminationByKubelet") return undefined;
  if (pod.metadata.deletionTimestamp || isPodTerminal(pod)) return undefined;
  return Math.max(0, Date.parse(condition.lastTransitionTime ?? "") + timeoutMs - nowMs) || 0;
}

export function staleDisruptionController({ client, informers, clock, logger }: Dependencies): Controller {
  const podInformer = informers.for(pods);

  async function reconcile(key: ObjectKey) {
    const pod = podInformer.get(key);
    const requeueAfterMs = pod && staleInMs(pod, clock.now());
    if (requeueAfterMs === undefined) return;
    if (requeueAfterMs > 0) return { requeueAfterMs };
    const conditions = withPodCondition(pod!.status?.conditions, notDisrupted, clock.now());
    await client.update(pods, { ...pod!, status: { ...pod!.status, conditions } }, { subresource: "status" });
    logger.v(2).info("Reset stale DisruptionTarget condition to False", { pod: key });
  }

  return {
    name: "stale-pod-disruption",
    watches: [
      {
        informer: podInformer,
        handler(enqueue) {
          const look = (pod: Pod) => {
            const delayMs = staleInMs(pod, clock.now());
            if (delayMs !== undefined) enqueue(keyOf(pod), delayMs);
          };
          return { add: look, update: (_: Pod, pod: Pod) => look(pod) };
        },
      },
    ],
    reconcile,
  };
}

const notDisrupted = { type: "DisruptionTarget", status: "False" as const };
