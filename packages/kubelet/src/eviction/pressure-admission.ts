// Whether a node under pressure takes a pod: upstream's eviction Admit. Pure.

import { tolerates } from "@picokube/api/core/tolerations";
import type { Pod } from "@picokube/api/core/v1";
import { qosClass, systemCriticalPriority } from "@picokube/api/pod";
import type { Refusal } from "../pods/admission.js";
import { evicted } from "./eviction-message.js";
import type { PressureCondition } from "./signals.js";

/** Upstream's IsCriticalPod: static, a mirror of one, or of a system priority class. */
export function isCriticalPod({ metadata, spec }: Pod): boolean {
  const source = metadata.annotations?.["kubernetes.io/config.source"];
  const isStatic = source !== undefined && source !== "api";
  const isMirror = metadata.annotations?.["kubernetes.io/config.mirror"] !== undefined;
  return isStatic || isMirror || (spec?.priority ?? 0) >= systemCriticalPriority;
}

/** Under memory pressure alone only BestEffort pods that do not tolerate it are refused, otherwise all but critical ones. */
export function pressureRefusal(pod: Pod, conditions: readonly PressureCondition[]): Refusal | undefined {
  if (conditions.length === 0 || isCriticalPod(pod)) return undefined;
  if (conditions.length === 1 && conditions[0] === "MemoryPressure") {
    if (qosClass(pod) !== "BestEffort") return undefined;
    const taint = { key: "node.kubernetes.io/memory-pressure", effect: "NoSchedule" } as const;
    if (tolerates(pod.spec?.tolerations, taint)) return undefined;
  }
  return { reason: evicted, message: `The node had condition: [${conditions.join(" ")}]. ` };
}
