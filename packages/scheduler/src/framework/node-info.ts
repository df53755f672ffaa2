// A Node with the pods on it, summed up. Changed by the cache alone; plugins read it.

import type { Node } from "@picokube/api/core/v1";
import { Quantity } from "@picokube/api/quantity";
import type { Amounts, PodInfo } from "./pod-info.js";
import { toAmounts } from "./pod-info.js";

export interface NodeInfo {
  readonly node: Node;
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly pods: ReadonlyMap<string, PodInfo>;
  readonly allocatable: Amounts;
  readonly requested: Amounts;
  readonly nonZeroRequested: Amounts;
  /** Image name → bytes. */
  readonly images: ReadonlyMap<string, number>;
}

function addTo(sum: Map<string, number>, amounts: Amounts, sign: 1 | -1): void {
  for (const [name, amount] of amounts) sum.set(name, (sum.get(name) ?? 0) + sign * amount);
}

function hasAffinity({ requiredAffinity, requiredAntiAffinity, preferredAffinity, preferredAntiAffinity }: PodInfo) {
  return (
    requiredAffinity.length + requiredAntiAffinity.length + preferredAffinity.length + preferredAntiAffinity.length > 0
  );
}

/** The NodeInfo that a cache keeps. The node may be missing while only pods of it are known. */
export class CachedNode implements NodeInfo {
  node!: Node;
  labels: Readonly<Record<string, string>> = {};
  allocatable: Amounts = new Map();
  images: ReadonlyMap<string, number> = new Map();
  readonly pods = new Map<string, PodInfo>();
  readonly requested = new Map<string, number>();
  readonly nonZeroRequested = new Map<string, number>();
  /** How many of its pods have affinity or anti-affinity of any kind. */
  affinityPods = 0;

  constructor(readonly name: string) {}

  setNode(node: Node): void {
    this.node = node;
    this.labels = node.metadata.labels ?? {};
    const allocatable = Object.entries(node.status?.allocatable ?? {});
    this.allocatable = toAmounts(new Map(allocatable.map(([name, text]) => [name, Quantity.parse(text)])));
    this.images = new Map(
      (node.status?.images ?? []).flatMap(({ names = [], sizeBytes = 0 }) => names.map((name) => [name, sizeBytes])),
    );
  }

  addPod(uid: string, info: PodInfo): void {
    this.removePod(uid);
    this.pods.set(uid, info);
    if (hasAffinity(info)) this.affinityPods++;
    addTo(this.requested, info.requests, 1);
    addTo(this.nonZeroRequested, info.nonZeroRequests, 1);
  }

  removePod(uid: string): void {
    const info = this.pods.get(uid);
    if (!info) return;
    this.pods.delete(uid);
    if (hasAffinity(info)) this.affinityPods--;
    addTo(this.requested, info.requests, -1);
    addTo(this.nonZeroRequested, info.nonZeroRequests, -1);
  }
}

/** A NodeInfo of a Node and pods, for plugins that are asked about something that is not in the cache. */
export function nodeInfoOf(node: Node, pods: readonly PodInfo[] = []): NodeInfo {
  const info = new CachedNode(node.metadata.name);
  info.setNode(node);
  for (const pod of pods) info.addPod(pod.pod.metadata.uid, pod);
  return info;
}
