// What a namespace's pods would say to a new level, in upstream's words (EvaluatePodsInNamespace). Pure.

import type { Pod } from "@picokube/api/core/v1";
import { type LevelVersion, violationsOf } from "./pod-security-policy.js";

const MAX_PODS = 3000;

/** One warning about the namespace, then one for each way in which its pods violate the level; none when all pass. */
export function namespaceWarnings(namespace: string, pods: readonly Pod[], wanted: LevelVersion): string[] {
  const byReasons = new Map<string, string[]>();
  for (const { metadata, spec } of pods.slice(0, MAX_PODS)) {
    if (!spec) continue;
    const found = violationsOf({ annotations: metadata.annotations, spec }, wanted);
    if (found.length === 0) continue;
    const reasons = found.map(({ reason }) => reason).join(", ");
    byReasons.set(reasons, [...(byReasons.get(reasons) ?? []), metadata.name]);
  }
  const warnings: string[] = [];
  if (pods.length > MAX_PODS) {
    warnings.push(
      `new PodSecurity enforce level only checked against the first ${MAX_PODS} of ${pods.length} existing pods`,
    );
  }
  if (byReasons.size === 0) return warnings;
  const level = JSON.stringify(`${wanted.level}:${wanted.version}`);
  warnings.push(
    `existing pods in namespace ${JSON.stringify(namespace)} violate the new PodSecurity enforce level ${level}`,
  );
  const lines = [...byReasons].map(([reasons, names]) => {
    const others = names.length - 1;
    const more = others === 0 ? "" : ` (and ${others} other ${others === 1 ? "pod" : "pods"})`;
    return `${names.sort()[0]}${more}: ${reasons}`;
  });
  return [...warnings, ...lines.sort()];
}
