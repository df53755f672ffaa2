// Deletes pods that no kubelet will ever end.
// Watches: Pods, Nodes. Writes: Pod status, deletes Pods.

import { type Node, nodes, type Pod, pods } from "@picokube/api/core/v1";
import { isNotFound } from "@picokube/api/errors";
import { isPodTerminal, withPodCondition } from "@picokube/api/pod";
import type { Controller, Result, WatchSource } from "@picokube/client/controller";
import type { Dependencies } from "../dependencies.js";
import { type Doomed, type GcReason, planPodGc } from "./pod-gc-plan.js";

const periodMs = 20_000;
const quarantineMs = 40_000;
const sweepKey = "sweep";

/** Upstream's pod-garbage-collector-controller: its one key is a sweep over all pods every 20 s. */
export function podGcController({ client, informers, clock, logger, options }: Dependencies): Controller {
  const podInformer = informers.for(pods);
  const nodeInformer = informers.for(nodes);
  // Since when a node's name has been missing: an informer that lags must not cost a pod.
  const missingSinceMs = new Map<string, number>();

  async function reconcile(): Promise<Result> {
    const gone = await findGone();
    const plan = planPodGc({
      pods: podInformer.list(),
      nodes: new Map(nodeInformer.list().map((node) => [node.metadata.name, node])),
      threshold: options.terminatedPodGcThreshold,
      isGone: (name) => gone.has(name),
    });
    for (const doomed of plan)
      await remove(doomed).catch((error: unknown) =>
        logger.warn("Failed to delete pod", { pod: doomed.pod.metadata.name, err: error }),
      );
    return { requeueAfterMs: periodMs };
  }

  async function findGone(): Promise<Set<string>> {
    const gone = new Set<string>();
    const names = new Set(podInformer.list().flatMap(({ spec }) => (spec?.nodeName ? [spec.nodeName] : [])));
    for (const name of missingSinceMs.keys())
      if (!names.has(name) || nodeInformer.get(name)) missingSinceMs.delete(name);
    for (const name of names) {
      if (nodeInformer.get(name)) continue;
      const sinceMs = missingSinceMs.get(name) ?? clock.now();
      missingSinceMs.set(name, sinceMs);
      if (clock.now() - sinceMs < quarantineMs) continue;
      if (await isMissing(name)) gone.add(name);
    }
    return gone;
  }

  async function isMissing(name: string): Promise<boolean> {
    try {
      await client.get(nodes, { name });
      return false;
    } catch (error) {
      if (isNotFound(error)) return true;
      throw error;
    }
  }

  async function remove({ pod, reason }: Doomed): Promise<void> {
    const { name, namespace, uid } = pod.metadata;
    const where = { name, namespace: namespace! };
    logger.v(2).info("Pod will be deleted", { pod: `${namespace}/${name}`, reason });
    try {
      if (!isPodTerminal(pod)) {
        const patch = { metadata: { uid }, status: failedStatus(reason) };
        await client.patch(pods, where, patch, { type: "strategic", subresource: "status" });
      }
      await client.delete(pods, where, { gracePeriodSeconds: 0, preconditions: { uid } });
    } catch (error) {
      if (!isNotFound(error)) throw error;
    }
  }

  function failedStatus(reason: GcReason): object {
    if (reason !== "Orphaned") return { phase: "Failed" };
    const target = {
      type: "DisruptionTarget",
      status: "True",
      reason: "DeletionByPodGC",
      message: "PodGC: node no longer exists",
    } as const;
    return { phase: "Failed", conditions: withPodCondition([], target, clock.now()) };
  }

  const start: WatchSource = {
    informer: podInformer,
    handler(enqueue) {
      enqueue(sweepKey);
      return {
        update(previous: Pod, pod: Pod) {
          const unscheduled = !pod.spec?.nodeName && pod.metadata.deletionTimestamp !== undefined;
          if (unscheduled && previous.metadata.deletionTimestamp === undefined) enqueue(sweepKey);
        },
      };
    },
  };
  const nodesGone: WatchSource = {
    informer: nodeInformer,
    handler: (enqueue) => ({
      delete({ metadata }: Node) {
        missingSinceMs.set(metadata.name, clock.now());
        enqueue(sweepKey, quarantineMs);
      },
    }),
  };
  return { name: "pod-garbage-collector-controller", watches: [start, nodesGone], reconcile };
}
