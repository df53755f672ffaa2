// A DaemonSet's pod: what it bears, the node it is pinned to, whether it is of the current revision. Pure (upstream:
// pkg/controller/daemon/util).

import type { DaemonSet } from "@picokube/api/apps/v1";
import type { Affinity, Pod, PodSpec, PodTemplateSpec, Toleration } from "@picokube/api/core/v1";
import { revisionLabel } from "../controller-revisions.js";

const generationAnnotation = "deprecated.daemonset.template.generation";
const generationLabel = "pod-template-generation";

const bears = (taint: string, effect: "NoExecute" | "NoSchedule"): Toleration => ({
  key: `node.kubernetes.io/${taint}`,
  operator: "Exists",
  effect,
});

// Neither a node in trouble nor a cordoned one is a reason to go without its daemons.
const always = [
  bears("not-ready", "NoExecute"),
  bears("unreachable", "NoExecute"),
  bears("disk-pressure", "NoSchedule"),
  bears("memory-pressure", "NoSchedule"),
  bears("pid-pressure", "NoSchedule"),
  bears("unschedulable", "NoSchedule"),
];

/** The pod's own tolerations and those of every daemon. Upstream's AddOrUpdateDaemonPodTolerations. */
export function daemonTolerations({ tolerations = [], hostNetwork }: PodSpec): Toleration[] {
  const added = hostNetwork ? [...always, bears("network-unavailable", "NoSchedule")] : always;
  const same = (a: Toleration, b: Toleration) =>
    a.key === b.key && a.effect === b.effect && a.operator === b.operator && (a.value ?? "") === (b.value ?? "");
  const kept = tolerations.map((own) => added.find((each) => same(each, own)) ?? own);
  return [...kept, ...added.filter((each) => !kept.includes(each))];
}

/** The template of the pod for one node. Upstream's CreatePodTemplate and ReplaceDaemonSetPodNodeNameNodeAffinity. */
export function daemonTemplate(
  { metadata, spec }: DaemonSet,
  { hash, nodeName }: { hash: string; nodeName: string },
): PodTemplateSpec {
  const { template } = spec!;
  const generation = metadata.annotations?.[generationAnnotation];
  const labels = {
    ...template.metadata?.labels,
    ...(generation === undefined ? {} : { [generationLabel]: generation }),
    [revisionLabel]: hash,
  };
  return {
    metadata: { ...template.metadata, labels },
    spec: {
      ...template.spec!,
      affinity: pinnedTo(nodeName, template.spec?.affinity),
      tolerations: daemonTolerations(template.spec!),
    },
  };
}

// The default scheduler binds it: to this node and no other.
function pinnedTo(nodeName: string, affinity: Affinity | undefined): Affinity {
  const matchFields = [{ key: "metadata.name", operator: "In" as const, values: [nodeName] }];
  return {
    ...affinity,
    nodeAffinity: {
      ...affinity?.nodeAffinity,
      requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [{ matchFields }] },
    },
  };
}

/** The node that the pod is on or is meant for; undefined when it says neither. Upstream's GetTargetNodeName. */
export function targetNodeName({ spec }: Pod): string | undefined {
  if (spec?.nodeName) return spec.nodeName;
  const required = spec?.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution;
  for (const { matchFields } of required?.nodeSelectorTerms ?? [])
    for (const { key, operator, values } of matchFields ?? [])
      if (key === "metadata.name" && operator === "In" && values?.length === 1) return values[0];
  return undefined;
}

/** The pod was made of the current template. */
export function isUpdated({ metadata }: Pod, hash: string): boolean {
  return metadata.labels?.[revisionLabel] === hash;
}

/** Those that have a node first, then the oldest. Upstream's podByCreationTimestampAndPhase. */
export function byPlaceAndAge(a: Pod, b: Pod): number {
  if (Boolean(a.spec?.nodeName) !== Boolean(b.spec?.nodeName)) return a.spec?.nodeName ? -1 : 1;
  const [left, right] = [a.metadata.creationTimestamp, b.metadata.creationTimestamp];
  if (left !== right) return left < right ? -1 : 1;
  return a.metadata.name < b.metadata.name ? -1 : 1;
}
