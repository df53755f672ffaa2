// Keeps one pod of each DaemonSet on every node that it wants, of its template.
// Watches: DaemonSets, Pods, Nodes, ControllerRevisions. Writes: Pods, ControllerRevisions, DaemonSet status.

import { controllerrevisions, type DaemonSet, daemonsets } from "@picokube/api/apps/v1";
import { type Node, nodes, type Pod, pods } from "@picokube/api/core/v1";
import { semanticDeepEqual } from "@picokube/api/deep-equal";
import { controllerRef } from "@picokube/api/owner";
import { selectorFromLabelSelector } from "@picokube/api/selectors/labels";
import type { Controller, WatchSource } from "@picokube/client/controller";
import { Expectations } from "@picokube/client/expectations";
import type { Informer, ObjectKey } from "@picokube/client/informer";
import { keyOf } from "@picokube/client/object-key";
import { mapped, self } from "@picokube/client/watch-sources";
import { claim } from "../claim.js";
import type { Dependencies } from "../dependencies.js";
import { claimable, indexByOwner, ownedPods } from "../owned-pods.js";
import { createPodControl } from "../pod-control.js";
import { groupByNode, type ManagePlan, type Observed, planDaemonSet } from "./daemonset-plan.js";
import { planRollout } from "./daemonset-rollout.js";
import { daemonSetStatus } from "./daemonset-status.js";
import { FailedPodsBackoff } from "./failed-pods-backoff.js";
import { cleanupHistory, constructHistory, type History, hashOf } from "./history.js";
import { nodeFit } from "./node-fit.js";
import { syncNodes } from "./sync-nodes.js";

const component = "daemonset-controller";
const selectorOf = ({ spec }: DaemonSet) => selectorFromLabelSelector(spec?.selector);

/** Upstream's daemonset-controller. */
export function daemonSetController({ client, informers, clock, recorder: recorderOf }: Dependencies): Controller {
  const setInformer = informers.for(daemonsets);
  const podInformer = informers.for(pods);
  const nodeInformer = informers.for(nodes);
  const revisionInformer = informers.for(controllerrevisions);
  const expectations = new Expectations({ clock });
  const backoff = new FailedPodsBackoff();
  const recorder = recorderOf(component);
  const podControl = createPodControl({ client, recorder });
  indexByOwner(podInformer);
  indexByOwner(revisionInformer);
  setInformer.addHandler({ delete: (last) => expectations.forget(keyOf(last)) });

  async function reconcile(key: ObjectKey) {
    const daemonSet = setInformer.get(key);
    if (!daemonSet) return;
    const selector = selectorOf(daemonSet);
    if (selector.empty) {
      const message = "This daemon set is selecting all pods. A non-empty selector is required.";
      recorder.record(daemonSet, { type: "Warning", reason: "SelectingAll", message });
      return;
    }
    // Of one that ends, the history may be gone already: nothing could be told of its pods.
    if (daemonSet.metadata.deletionTimestamp) return;
    const satisfied = expectations.satisfied(key);
    const own = await claim({
      client,
      resource: pods,
      owner: daemonSet,
      ownerResource: daemonsets,
      reference: controllerRef(daemonSet, daemonsets),
      selector,
      candidates: claimable(podInformer, daemonSet),
    });
    const history = await constructHistory({ client, informer: revisionInformer, daemonSet, pods: own });
    const observed: Observed = {
      daemonSet,
      nodes: nodeInformer.list(),
      podsByNode: groupByNode(own),
      hash: hashOf(history.current),
      nowMs: clock.now(),
    };
    let requeueAfterMs: number | undefined;
    let failure: { error: unknown } | undefined;
    try {
      if (satisfied) requeueAfterMs = await act(key, observed, { history, own });
    } catch (error) {
      failure = { error };
    }
    const status = daemonSetStatus(observed, { acted: satisfied });
    if (!semanticDeepEqual(status, daemonSet.status))
      await client.update(daemonsets, { ...daemonSet, status }, { subresource: "status" });
    if (failure) throw failure.error;
    const { minReadySeconds = 0 } = daemonSet.spec ?? {};
    if (minReadySeconds > 0 && status.numberReady !== (status.numberAvailable ?? 0))
      requeueAfterMs = Math.min(requeueAfterMs ?? Number.POSITIVE_INFINITY, minReadySeconds * 1000);
    return requeueAfterMs === undefined ? undefined : { requeueAfterMs };
  }

  async function act(
    key: ObjectKey,
    observed: Observed,
    { history, own }: { history: History; own: readonly Pod[] },
  ): Promise<number | undefined> {
    const { daemonSet, nowMs, hash } = observed;
    const { uid } = daemonSet.metadata;
    const backoffKey = (nodeName: string) => `${uid}/${daemonSet.status?.observedGeneration ?? 0}/${nodeName}`;
    const plan = planDaemonSet(observed, (nodeName) => backoff.leftMs(backoffKey(nodeName), nowMs));
    tellOfEnded(daemonSet, plan, (nodeName) => backoff.next(backoffKey(nodeName), nowMs));
    const write = { key, daemonSet, hash, podControl, expectations };
    await syncNodes(write, plan);
    if (expectations.satisfied(key) && daemonSet.spec?.updateStrategy?.type === "RollingUpdate")
      await syncNodes(write, planRollout(observed));
    await cleanupHistory(client, { daemonSet, old: history.old, pods: own });
    return plan.requeueAfterMs;
  }

  function tellOfEnded(daemonSet: DaemonSet, { ended }: ManagePlan, failed: (nodeName: string) => void): void {
    for (const { pod, nodeName } of ended) {
      const where = `daemon pod ${keyOf(pod)} on node ${nodeName}`;
      if (pod.status?.phase === "Failed") {
        failed(nodeName);
        const message = `Found failed ${where}, will try to kill it`;
        recorder.record(daemonSet, { type: "Warning", reason: "FailedDaemonPod", message });
      } else {
        const message = `Found succeeded ${where}, will try to delete it`;
        recorder.record(daemonSet, { type: "Normal", reason: "SucceededDaemonPod", message });
      }
    }
  }

  return {
    name: component,
    watches: [
      self(setInformer),
      ownedPods({ podInformer, ownerInformer: setInformer, selectorOf, expectations }),
      fittingNodes(nodeInformer, setInformer),
      // Only read: their changes need no answer of their own.
      mapped(revisionInformer, () => []),
    ],
    reconcile,
  };
}

// A node's heartbeat is nobody's concern: only what changes where pods may run is.
function fittingNodes(nodeInformer: Informer<Node>, setInformer: Informer<DaemonSet>): WatchSource {
  return {
    informer: nodeInformer,
    handler(enqueue) {
      const concerned = (isConcerned: (daemonSet: DaemonSet) => boolean) => {
        for (const daemonSet of setInformer.list()) if (isConcerned(daemonSet)) enqueue(keyOf(daemonSet));
      };
      const uses = (node: Node) => (daemonSet: DaemonSet) => nodeFit(node, daemonSet).shouldContinue;
      return {
        add: (node: Node) => concerned(uses(node)),
        update(previous: Node, node: Node) {
          const same =
            semanticDeepEqual(previous.metadata.labels, node.metadata.labels) &&
            semanticDeepEqual(previous.spec?.taints, node.spec?.taints);
          if (same) return;
          concerned((daemonSet) => !semanticDeepEqual(nodeFit(previous, daemonSet), nodeFit(node, daemonSet)));
        },
        delete: (node: Node) => concerned(uses(node)),
      };
    },
  };
}
