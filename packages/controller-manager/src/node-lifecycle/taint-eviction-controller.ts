// Deletes the pods that do not tolerate their Node's NoExecute taints, each when its time is up.
// Watches: Nodes, Pods. Writes: Pod status, deletes Pods.

import { type Node, nodes, type Pod, pods, type Taint } from "@picokube/api/core/v1";
import { isNotFound } from "@picokube/api/errors";
import { withPodCondition } from "@picokube/api/pod";
import type { Controller, Result, WatchSource } from "@picokube/client/controller";
import type { Informer, ObjectKey } from "@picokube/client/informer";
import { keyOf } from "@picokube/client/object-key";
import type { Dependencies } from "../dependencies.js";
import { toleratedMs, tolerationStartMs } from "./taint-eviction-plan.js";

const byNode = "taintEvictionNode";

/** Upstream's taint-eviction-controller; its queue holds Pods. */
export function taintEvictionController({ client, informers, clock, recorder: recorderOf }: Dependencies): Controller {
  const nodeInformer = informers.for(nodes);
  const podInformer = informers.for(pods);
  podInformer.addIndex(byNode, ({ spec }) => (spec?.nodeName ? [spec.nodeName] : []));
  const recorder = recorderOf("taint-eviction-controller");
  // Since when a pod's time runs: a taint that replaces another does not give it time anew.
  const startMs = new Map<string, number>();

  async function reconcile(key: ObjectKey): Promise<Result> {
    const pod = podInformer.get(key);
    if (!pod?.spec?.nodeName || pod.metadata.deletionTimestamp) return;
    const { uid } = pod.metadata;
    const taints = noExecute(nodeInformer.get(pod.spec.nodeName)?.spec?.taints);
    const nowMs = clock.now();
    const allowedMs = taints.length === 0 ? Number.POSITIVE_INFINITY : toleratedMs(pod, taints);
    if (allowedMs === Number.POSITIVE_INFINITY) {
      if (startMs.delete(uid)) tell(pod, `Cancelling deletion of Pod ${key}`);
      return;
    }
    const since = startMs.get(uid) ?? tolerationStartMs(pod, taints, nowMs);
    const leftMs = allowedMs === 0 ? 0 : since + allowedMs - nowMs;
    if (leftMs > 0) {
      startMs.set(uid, since);
      return { requeueAfterMs: leftMs };
    }
    tell(pod, `Marking for deletion Pod ${key}`);
    await evict(pod);
    startMs.delete(uid);
  }

  async function evict(pod: Pod): Promise<void> {
    const { name, namespace, uid } = pod.metadata;
    const where = { name, namespace: namespace! };
    const target = {
      type: "DisruptionTarget",
      status: "True",
      reason: "DeletionByTaintManager",
      message: "Taint manager: deleting due to NoExecute taint",
    } as const;
    const conditions = withPodCondition([], target, clock.now());
    try {
      const patch = { metadata: { uid }, status: { conditions } };
      await client.patch(pods, where, patch, { type: "strategic", subresource: "status" });
      await client.delete(pods, where, { preconditions: { uid } });
    } catch (error) {
      if (!isNotFound(error)) throw error;
    }
  }

  function tell(pod: Pod, message: string): void {
    recorder.record(pod, { type: "Normal", reason: "TaintManagerEviction", message });
  }

  podInformer.addHandler({ delete: ({ metadata }) => startMs.delete(metadata.uid) });
  return {
    name: "taint-eviction-controller",
    watches: [podsOfTainted(nodeInformer, podInformer), ownPods(nodeInformer, podInformer)],
    reconcile,
  };
}

function noExecute(taints: readonly Taint[] | undefined): readonly Taint[] {
  return (taints ?? []).filter(({ effect }) => effect === "NoExecute");
}

function podsOfTainted(nodeInformer: Informer<Node>, podInformer: Informer<Pod>): WatchSource {
  return {
    informer: nodeInformer,
    handler(enqueue) {
      const all = ({ metadata }: Node) => {
        for (const pod of podInformer.byIndex(byNode, metadata.name)) enqueue(keyOf(pod));
      };
      const text = ({ spec }: Node) => JSON.stringify(noExecute(spec?.taints));
      return {
        add: (node: Node) => void (noExecute(node.spec?.taints).length > 0 && all(node)),
        update: (previous: Node, node: Node) => void (text(previous) !== text(node) && all(node)),
      };
    },
  };
}

function ownPods(nodeInformer: Informer<Node>, podInformer: Informer<Pod>): WatchSource {
  return {
    informer: podInformer,
    handler(enqueue) {
      const check = (pod: Pod) => {
        const node = pod.spec?.nodeName ? nodeInformer.get(pod.spec.nodeName) : undefined;
        if (node && noExecute(node.spec?.taints).length > 0) enqueue(keyOf(pod));
      };
      return { add: check, update: (_: Pod, pod: Pod) => check(pod) };
    },
  };
}
