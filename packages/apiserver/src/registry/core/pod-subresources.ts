// What pods/ephemeralcontainers and pods/resize change of a pod, and what they refuse (upstream:
// ValidatePodEphemeralContainersUpdate, ValidatePodResize). Pure; throw invalid().

import { type EphemeralContainer, type Pod, pods } from "@picokube/api/core/v1";
import { semanticDeepEqual } from "@picokube/api/deep-equal";
import { invalid } from "@picokube/api/errors";
import { qosClass } from "@picokube/api/pod";
import { type FieldError, forbiddenField, invalidValue } from "@picokube/api/validation/field-error";
import { validateEphemeralContainers } from "./container-validation.js";
import { validateResourceRequirements } from "./resource-validation.js";

function throwFaults(faults: readonly FieldError[], { metadata }: Pod): void {
  if (faults.length > 0) throw invalid(pods, metadata.name, faults);
}

/** The old pod with the new list of ephemeral containers; those that it has stay as they are. */
export function mergeEphemeralContainers(pod: Pod, old: Pod): Pod {
  const merged = structuredClone(old);
  const path = "spec.ephemeralContainers";
  const next: EphemeralContainer[] = pod.spec?.ephemeralContainers ?? [];
  if (!merged.spec) return merged;
  const { volumes = [], containers, initContainers = [] } = merged.spec;
  const faults = validateEphemeralContainers(next, path, {
    volumes,
    containers,
    initContainers,
    gracePeriodSeconds: merged.spec.terminationGracePeriodSeconds ?? 30,
  });
  for (const container of merged.spec.ephemeralContainers ?? []) {
    const kept = next.find(({ name }) => name === container.name);
    if (!kept) {
      faults.push(forbiddenField(path, `existing ephemeral containers "${container.name}" may not be removed\n`));
    } else if (!semanticDeepEqual(kept, container)) {
      faults.push(forbiddenField(path, `existing ephemeral containers "${container.name}" may not be changed\n`));
    }
  }
  throwFaults(faults, old);
  if (next.length > 0) merged.spec.ephemeralContainers = next;
  return merged;
}

/** The old pod with the new requests and limits of its containers; its QoS class must stay. */
export function mergeResize(pod: Pod, old: Pod): Pod {
  const merged = structuredClone(old);
  const faults: FieldError[] = [];
  for (const [index, container] of (merged.spec?.containers ?? []).entries()) {
    const changed = pod.spec?.containers.find(({ name }) => name === container.name);
    if (changed?.resources) container.resources = changed.resources;
    if (changed?.resizePolicy) container.resizePolicy = changed.resizePolicy;
    faults.push(...validateResourceRequirements(container.resources, `spec.containers[${index}].resources`));
  }
  const qos = qosClass(merged);
  if (old.status?.qosClass && qos !== old.status.qosClass) {
    faults.push(invalidValue("metadata", qos, "Pod QOS Class may not change as a result of resizing"));
  }
  throwFaults(faults, old);
  return merged;
}
