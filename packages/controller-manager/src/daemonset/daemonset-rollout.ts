// The next steps of a DaemonSet's rolling update, once each node has its pod. Pure (upstream: rollingUpdate).

import type { Pod } from "@picokube/api/core/v1";
import { isPodAvailable } from "@picokube/api/pod";
import { isUpdated } from "./daemon-pod.js";
import { type DaemonPlan, type Observed, surgeCount, unavailableCount } from "./daemonset-plan.js";
import { nodeFit } from "./node-fit.js";

/** Either ends old pods, as many as may be missing, or makes new ones beside them, as many as may be too many. */
export function planRollout(observed: Observed): DaemonPlan {
  const { daemonSet, nodes } = observed;
  const wanted = nodes.filter((node) => nodeFit(node, daemonSet).shouldRun).map(({ metadata }) => metadata.name);
  const maxSurge = surgeCount(daemonSet, wanted.length);
  const rollout = { ...observed, wanted: new Set(wanted) };
  if (maxSurge > 0) return planSurge(rollout, maxSurge);
  // Both zero would let nothing move.
  return planReplacement(rollout, unavailableCount(daemonSet, wanted.length) || 1);
}

interface Rollout extends Observed {
  /** Nodes that a pod is wanted on. */
  readonly wanted: ReadonlySet<string>;
}

/** At most one of each; undefined: the node has more, which is not ours to settle. Upstream's findUpdatedPodsOnNode. */
interface Pair {
  readonly current?: Pod;
  readonly former?: Pod;
}

function pairsByNode({ podsByNode, wanted, hash }: Rollout): [nodeName: string, pair: Pair | undefined][] {
  const names = [...new Set([...podsByNode.keys(), ...wanted])].sort();
  return names.map((nodeName) => {
    const staying = (podsByNode.get(nodeName) ?? []).filter(({ metadata }) => !metadata.deletionTimestamp);
    const current = staying.filter((pod) => isUpdated(pod, hash));
    const former = staying.filter((pod) => !isUpdated(pod, hash));
    if (current.length > 1 || former.length > 1) return [nodeName, undefined];
    return [nodeName, { ...(current[0] && { current: current[0] }), ...(former[0] && { former: former[0] }) }];
  });
}

function availability({ daemonSet, nowMs }: Observed): (pod: Pod) => boolean {
  const minReadySeconds = daemonSet.spec?.minReadySeconds ?? 0;
  return (pod) => isPodAvailable(pod, { minReadySeconds, nowMs });
}

function planReplacement(rollout: Rollout, maxUnavailable: number): DaemonPlan {
  const isAvailable = availability(rollout);
  const candidates: Pod[] = [];
  // An old pod that is ill already can go at no cost.
  const free: Pod[] = [];
  let unavailable = 0;
  for (const [, pair] of pairsByNode(rollout)) {
    const { current, former } = pair ?? {};
    if (former && !current) {
      if (isAvailable(former)) candidates.push(former);
      else {
        free.push(former);
        unavailable++;
      }
    } else if (!current || former || !isAvailable(current)) unavailable++;
  }
  return { create: [], delete: [...free, ...candidates.slice(0, Math.max(0, maxUnavailable - unavailable))] };
}

function planSurge(rollout: Rollout, maxSurge: number): DaemonPlan {
  const isAvailable = availability(rollout);
  const doomed: Pod[] = [];
  // On nodes that the set no longer wants, and still of use.
  const unwanted: Pod[] = [];
  const free: string[] = [];
  const candidates: string[] = [];
  let surging = 0;
  let available = 0;
  for (const [nodeName, pair] of pairsByNode(rollout)) {
    const { current, former } = pair ?? {};
    const counted = former ?? current;
    if (counted && isAvailable(counted)) available++;
    if (!pair) surging++;
    else if (former && current) {
      if (isAvailable(current)) doomed.push(former);
      else surging++;
    } else if (former) {
      const wanted = rollout.wanted.has(nodeName);
      if (isAvailable(former)) (wanted ? candidates : []).push(nodeName);
      if (isAvailable(former) && !wanted) unwanted.push(former);
      if (!isAvailable(former) && wanted) free.push(nodeName);
      if (!isAvailable(former) && !wanted) doomed.push(former);
    }
  }
  const spare = Math.max(0, available - rollout.wanted.size);
  return {
    create: [...free, ...candidates.slice(0, Math.max(0, maxSurge - surging))],
    delete: [...doomed, ...unwanted.slice(0, spare)],
  };
}
