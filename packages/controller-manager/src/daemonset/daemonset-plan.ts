// Which pods a DaemonSet lacks and which it has too many of, node by node. Pure (upstream: manage, podsShouldBeOnNode).

import type { DaemonSet } from "@picokube/api/apps/v1";
import type { Node, Pod } from "@picokube/api/core/v1";
import { getScaledValueFromIntOrPercent } from "@picokube/api/int-or-string";
import { isPodAvailable, isPodReady, isPodTerminal } from "@picokube/api/pod";
import { byPlaceAndAge, isUpdated, targetNodeName } from "./daemon-pod.js";
import { nodeFit } from "./node-fit.js";

export interface Observed {
  readonly daemonSet: DaemonSet;
  readonly nodes: readonly Node[];
  /** By the node they are on or meant for. */
  readonly podsByNode: ReadonlyMap<string, readonly Pod[]>;
  /** Of the current revision. */
  readonly hash: string;
  readonly nowMs: number;
}

export interface DaemonPlan {
  /** Names of the nodes that get a pod. */
  readonly create: readonly string[];
  readonly delete: readonly Pod[];
}

export interface ManagePlan extends DaemonPlan {
  /** Those of the deleted that had ended by themselves, with their node. */
  readonly ended: readonly { pod: Pod; nodeName: string }[];
  /** When a failed pod that is left alone for now is due. */
  readonly requeueAfterMs?: number;
}

/** The pods by node; what is over and on its way out is no longer looked at. Upstream's getNodesToDaemonPods. */
export function groupByNode(pods: readonly Pod[]): Map<string, Pod[]> {
  const groups = new Map<string, Pod[]>();
  for (const pod of pods) {
    const nodeName = targetNodeName(pod);
    if (nodeName === undefined || (isPodTerminal(pod) && pod.metadata.deletionTimestamp)) continue;
    const group = groups.get(nodeName);
    if (group) group.push(pod);
    else groups.set(nodeName, [pod]);
  }
  return groups;
}

/** Upstream's SurgeCount. */
export function surgeCount({ spec }: DaemonSet, desired: number): number {
  const { type, rollingUpdate } = spec?.updateStrategy ?? {};
  if (type !== "RollingUpdate" || !rollingUpdate) return 0;
  return getScaledValueFromIntOrPercent(rollingUpdate.maxSurge ?? 0, { total: desired, roundUp: true });
}

/** Upstream's UnavailableCount. */
export function unavailableCount({ spec }: DaemonSet, desired: number): number {
  const { type, rollingUpdate } = spec?.updateStrategy ?? {};
  if (type !== "RollingUpdate" || !rollingUpdate) return 0;
  return getScaledValueFromIntOrPercent(rollingUpdate.maxUnavailable ?? 1, { total: desired, roundUp: true });
}

/** What brings each node to its one pod. backoffMs: how long a failed pod of that node is still to be left alone. */
export function planDaemonSet(observed: Observed, backoffMs: (nodeName: string) => number): ManagePlan {
  const { daemonSet, nodes, podsByNode } = observed;
  const create: string[] = [];
  const doomed: Pod[] = [];
  const ended: { pod: Pod; nodeName: string }[] = [];
  let requeueAfterMs: number | undefined;
  for (const node of nodes) {
    const nodeName = node.metadata.name;
    const { shouldRun, shouldContinue } = nodeFit(node, daemonSet);
    const pods = podsByNode.get(nodeName);
    if (shouldRun && !pods) create.push(nodeName);
    else if (!shouldContinue) doomed.push(...(pods ?? []).filter(isStaying));
    else if (pods) {
      const running: Pod[] = [];
      for (const pod of pods.filter(isStaying)) {
        const waitMs = pod.status?.phase === "Failed" ? backoffMs(nodeName) : 0;
        if (!isPodTerminal(pod)) running.push(pod);
        else if (waitMs > 0) requeueAfterMs = Math.min(requeueAfterMs ?? waitMs, waitMs);
        else ended.push({ pod, nodeName });
      }
      doomed.push(...surplus(observed, running));
      // While surging a node never waits for the end of its old pod.
      if (running.length === 0 && shouldRun && surgeCount(daemonSet, 1) > 0) create.push(nodeName);
    }
  }
  doomed.push(...ended.map(({ pod }) => pod), ...stranded(nodes, podsByNode));
  return { create, delete: doomed, ended, ...(requeueAfterMs === undefined ? {} : { requeueAfterMs }) };
}

function isStaying({ metadata }: Pod): boolean {
  return metadata.deletionTimestamp === undefined;
}

// One pod a node; with surge two, for as long as the old one is ready and the new one is not yet available.
function surplus({ daemonSet, hash, nowMs }: Observed, running: readonly Pod[]): Pod[] {
  const sorted = [...running].sort(byPlaceAndAge);
  if (surgeCount(daemonSet, 1) === 0) return sorted.slice(1);
  if (sorted.length <= 1) return [];
  const current = sorted.find((pod) => isUpdated(pod, hash));
  const former = sorted.find((pod) => !isUpdated(pod, hash));
  const doomed = sorted.filter((pod) => pod !== current && pod !== former);
  const minReadySeconds = daemonSet.spec?.minReadySeconds ?? 0;
  if (current && former && (!isPodReady(former) || isPodAvailable(current, { minReadySeconds, nowMs })))
    doomed.push(former);
  return doomed;
}

// Meant for a node that is gone, and never bound: nobody else would end it. Upstream's getUnscheduledPodsWithoutNode.
function stranded(nodes: readonly Node[], podsByNode: Observed["podsByNode"]): Pod[] {
  const known = new Set(nodes.map(({ metadata }) => metadata.name));
  return [...podsByNode]
    .filter(([nodeName]) => !known.has(nodeName))
    .flatMap(([, pods]) => pods.filter((pod) => !pod.spec?.nodeName && isStaying(pod)));
}
