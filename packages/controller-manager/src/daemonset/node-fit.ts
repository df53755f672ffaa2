// Which nodes a DaemonSet wants a pod on: by the scheduler's own predicates, resources aside. Pure (upstream:
// NodeShouldRunDaemonPod).

import type { DaemonSet } from "@picokube/api/apps/v1";
import { requiredNodeAffinityMatches } from "@picokube/api/core/node-affinity";
import { tolerates } from "@picokube/api/core/tolerations";
import type { Node } from "@picokube/api/core/v1";
import { daemonTolerations } from "./daemon-pod.js";

export interface NodeFit {
  /** A pod is made when there is none. */
  readonly shouldRun: boolean;
  /** A pod that is there stays. */
  readonly shouldContinue: boolean;
}

const neither: NodeFit = { shouldRun: false, shouldContinue: false };

/** A taint of NoSchedule keeps new pods off; one of NoExecute ends those that are there. */
export function nodeFit({ metadata, spec }: Node, daemonSet: DaemonSet): NodeFit {
  const podSpec = daemonSet.spec!.template.spec!;
  if (podSpec.nodeName && podSpec.nodeName !== metadata.name) return neither;
  const node = { name: metadata.name, labels: metadata.labels ?? {} };
  if (!requiredNodeAffinityMatches({ spec: podSpec }, node)) return neither;
  const tolerations = daemonTolerations(podSpec);
  const unborne = (spec?.taints ?? []).filter((taint) => !tolerates(tolerations, taint));
  const hard = unborne.some(({ effect }) => effect === "NoExecute");
  return { shouldRun: !hard && !unborne.some(({ effect }) => effect === "NoSchedule"), shouldContinue: !hard };
}
