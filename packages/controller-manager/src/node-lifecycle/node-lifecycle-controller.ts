// Notices Nodes that fell silent, says so in their conditions and taints, and takes their pods out of Services.
// Watches: Nodes, Leases, Pods. Writes: Node status and taints, Pod readiness.

import { leases } from "@picokube/api/coordination/v1";
import { type Node, nodes, type ObjectReference, type Pod, pods } from "@picokube/api/core/v1";
import { isNotFound } from "@picokube/api/errors";
import { isPodReady, podCondition, withPodCondition } from "@picokube/api/pod";
import type { Controller, Result, WatchSource } from "@picokube/client/controller";
import type { ObjectKey } from "@picokube/client/informer";
import { isConnectionLost } from "@picokube/client/retry";
import { self } from "@picokube/client/watch-sources";
import { findCondition } from "../conditions.js";
import type { Dependencies } from "../dependencies.js";
import { hasReported, type NodeHealth, observeHealth, unknownConditions } from "./node-health.js";
import { desiredTaints, type Eviction, needsEviction } from "./node-taints.js";
import { evictionRates, zoneOf, zoneQps } from "./zones.js";

const byNode = "nodeName";
const leaseNamespace = "kube-node-lease";
const missedChecks = 4;

/** Upstream's node-lifecycle-controller; its queue holds Nodes, each looked at once every --node-monitor-period at least. */
export function nodeLifecycleController(dependencies: Dependencies): Controller {
  const { client, informers, clock, logger, options, recorder: recorderOf } = dependencies;
  const nodeInformer = informers.for(nodes);
  const podInformer = informers.for(pods);
  const leaseInformer = informers.for(leases, { namespace: leaseNamespace });
  podInformer.addIndex(byNode, ({ spec }) => (spec?.nodeName ? [spec.nodeName] : []));
  const recorder = recorderOf("node-controller");
  const rates = evictionRates(options);
  const health = new Map<ObjectKey, NodeHealth>();
  const lastEvictionMs = new Map<string, number>();

  async function reconcile(name: ObjectKey): Promise<Result> {
    const node = nodeInformer.get(name);
    if (!node) return;
    const current = await judgeHealth(node);
    await taint(current);
    if (isKnownNotReady(current)) await markPodsNotReady(name);
    return { requeueAfterMs: options.nodeMonitorPeriod };
  }

  async function judgeHealth(node: Node): Promise<Node> {
    const { name } = node.metadata;
    const nowMs = clock.now();
    const previous = health.get(name);
    if (!previous) tell(node, "RegisteredNode", `Node ${name} event: Registered Node ${name} in Controller`);
    const lease = leaseInformer.get(`${leaseNamespace}/${name}`);
    const maxPauseMs = missedChecks * options.nodeMonitorPeriod;
    const observed = observeHealth({ previous, node, lease, nowMs, maxPauseMs });
    health.set(name, observed);
    const silentMs = nowMs - observed.seenMs;
    const graceMs = hasReported(node) ? options.nodeMonitorGracePeriod : options.nodeStartupGracePeriod;
    if (silentMs <= graceMs) return node;
    const conditions = unknownConditions(node, nowMs);
    if (conditions.length === 0) return node;
    logger.info("Node has not posted its status, its conditions become Unknown", { node: name, silentMs });
    const wasReady = isReady(node);
    try {
      const patch = { metadata: { uid: node.metadata.uid }, status: { conditions } };
      const patched = await client.patch(nodes, { name }, patch, { type: "strategic", subresource: "status" });
      if (wasReady) tell(node, "NodeNotReady", `Node ${name} status is now: NodeNotReady`);
      return patched;
    } catch (error) {
      if (!isConnectionLost(error)) throw error;
      // While we cannot reach the server, nor can the Nodes: their silence proves nothing.
      health.set(name, { ...observed, seenMs: nowMs });
      return node;
    }
  }

  async function taint(node: Node): Promise<void> {
    const nowMs = clock.now();
    const eviction = evictionOf(node, nowMs);
    const taints = desiredTaints(node, { eviction, nowMs });
    if (!taints) return;
    const { name, uid, resourceVersion } = node.metadata;
    // Before the write: another worker must not take the same turn meanwhile.
    if (eviction === "allow" && needsEviction(node)) lastEvictionMs.set(zoneOf(node), nowMs);
    await client.patch(nodes, { name }, { metadata: { uid, resourceVersion }, spec: { taints } }, { type: "merge" });
  }

  function evictionOf(node: Node, nowMs: number): Eviction {
    if (isReady(node)) return "hold";
    // The lister may still show a Node as ready that was just found not to be.
    const others = nodeInformer.list().filter(({ metadata }) => metadata.name !== node.metadata.name);
    const qps = zoneQps([...others, node], rates);
    if (!qps) return "forbid";
    const zone = zoneOf(node);
    // A zone of excluded Nodes alone has no state of its own.
    const zoneRate = qps.get(zone) ?? rates.normalQps;
    if (!needsEviction(node) || zoneRate === 0) return "hold";
    const sinceMs = nowMs - (lastEvictionMs.get(zone) ?? Number.NEGATIVE_INFINITY);
    return sinceMs >= 1000 / zoneRate ? "allow" : "hold";
  }

  async function markPodsNotReady(nodeName: string): Promise<void> {
    for (const pod of podInformer.byIndex(byNode, nodeName)) {
      if (!isPodReady(pod)) continue;
      await markNotReady(pod);
      recorder.record(pod, { type: "Warning", reason: "NodeNotReady", message: "Node is not ready" });
    }
  }

  async function markNotReady(pod: Pod): Promise<void> {
    const { name, namespace, uid } = pod.metadata;
    const ready = podCondition(pod.status, "Ready")!;
    const conditions = withPodCondition([ready], { ...ready, status: "False" }, clock.now());
    const patch = { metadata: { uid }, status: { conditions } };
    try {
      await client.patch(pods, { name, namespace: namespace! }, patch, { type: "strategic", subresource: "status" });
    } catch (error) {
      if (!isNotFound(error)) throw error;
    }
  }

  function tell({ metadata }: Node, reason: string, message: string): void {
    const { name, uid } = metadata;
    const reference: ObjectReference = { apiVersion: "v1", kind: "Node", name, uid };
    recorder.record(reference, { type: "Normal", reason, message });
  }

  nodeInformer.addHandler({
    delete(node) {
      const { name } = node.metadata;
      if (!health.delete(name)) return;
      tell(node, "RemovingNode", `Node ${name} event: Removing Node ${name} from Controller`);
    },
  });

  // A pod that calls itself ready on a Node that is not.
  const readyPods: WatchSource = {
    informer: podInformer,
    handler(enqueue) {
      const check = (pod: Pod) => {
        const node = pod.spec?.nodeName ? nodeInformer.get(pod.spec.nodeName) : undefined;
        if (node && isKnownNotReady(node) && isPodReady(pod)) enqueue(node.metadata.name);
      };
      return { add: check, update: (_: Pod, pod: Pod) => check(pod) };
    },
  };
  const leasesToo: WatchSource = { informer: leaseInformer, handler: () => ({}) };
  return { name: "node-lifecycle-controller", watches: [self(nodeInformer), readyPods, leasesToo], reconcile };
}

function isReady({ status }: Node): boolean {
  return findCondition(status?.conditions, "Ready")?.status === "True";
}

function isKnownNotReady(node: Node): boolean {
  return findCondition(node.status?.conditions, "Ready") !== undefined && !isReady(node);
}
