// The cluster as the scheduler believes it to be: nodes, the pods on them, and pods that are being bound and are taken
// as bound already. A cycle runs without a pause, so the cache is its snapshot. Never asks the API.

import type { Node, Pod } from "@picokube/api/core/v1";
import { CachedNode } from "./framework/node-info.js";
import type { Snapshot } from "./framework/plugin.js";
import { type PodInfo, podInfoOf } from "./framework/pod-info.js";

export class SchedulerCache implements Snapshot {
  /** Also nodes of which only pods are known. */
  readonly #nodes = new Map<string, CachedNode>();
  readonly #nodeOfPod = new Map<string, CachedNode>();
  readonly #assumed = new Set<string>();
  #present: CachedNode[] | undefined;

  get nodes(): readonly CachedNode[] {
    this.#present ??= [...this.#nodes.values()].filter(({ node }) => node !== undefined);
    return this.#present;
  }

  /** How many nodes, pods and assumed pods it holds, by upstream's names. */
  sizes(): Record<"nodes" | "pods" | "assumed_pods", number> {
    return { nodes: this.nodes.length, pods: this.#nodeOfPod.size, assumed_pods: this.#assumed.size };
  }

  get nodesWithAffinity(): readonly CachedNode[] {
    return this.nodes.filter(({ affinityPods }) => affinityPods > 0);
  }

  get(name: string): CachedNode | undefined {
    const found = this.#nodes.get(name);
    return found?.node ? found : undefined;
  }

  setNode(node: Node): void {
    this.#entry(node.metadata.name).setNode(node);
    this.#present = undefined;
  }

  removeNode(name: string): void {
    const entry = this.#nodes.get(name);
    if (!entry) return;
    this.#nodes.delete(name);
    this.#present = undefined;
    if (entry.pods.size === 0) return;
    // Its pods may still be told of: they wait for their own deletion, or for the node to come back.
    const left = this.#entry(name);
    for (const [uid, info] of entry.pods) {
      left.addPod(uid, info);
      this.#nodeOfPod.set(uid, left);
    }
  }

  /** A pod that the API says is on a node: confirms what was assumed, or corrects it. */
  addPod(pod: Pod): void {
    this.#assumed.delete(pod.metadata.uid);
    this.#place(podInfoOf(pod), pod.spec!.nodeName!);
  }

  removePod(uid: string): void {
    this.#assumed.delete(uid);
    const entry = this.#nodeOfPod.get(uid);
    if (!entry) return;
    entry.removePod(uid);
    this.#nodeOfPod.delete(uid);
    if (entry.node === undefined && entry.pods.size === 0) this.#nodes.delete(entry.name);
  }

  /** Takes the pod as bound until the API says so or forget is called. */
  assume(info: PodInfo, nodeName: string): void {
    this.#place(info, nodeName);
    this.#assumed.add(info.pod.metadata.uid);
  }

  /** The binding failed; a pod that was confirmed meanwhile stays. */
  forget(uid: string): void {
    if (this.#assumed.has(uid)) this.removePod(uid);
  }

  isAssumed(uid: string): boolean {
    return this.#assumed.has(uid);
  }

  #place(info: PodInfo, nodeName: string): void {
    const { uid } = info.pod.metadata;
    const entry = this.#entry(nodeName);
    const before = this.#nodeOfPod.get(uid);
    if (before && before !== entry) before.removePod(uid);
    entry.addPod(uid, info);
    this.#nodeOfPod.set(uid, entry);
  }

  #entry(name: string): CachedNode {
    let entry = this.#nodes.get(name);
    if (!entry) {
      entry = new CachedNode(name);
      this.#nodes.set(name, entry);
    }
    return entry;
  }
}
