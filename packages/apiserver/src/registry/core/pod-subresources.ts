// What pods/ephemeralcontainers and pods/resize change of a pod, and what they refuse (upstream:
// ValidatePodEphemeralContainersUpdate, ValidatePodResize). Pure; throw invalid().

import { type Container, type EphemeralContainer, type Pod, type PodSpec, pods } from "@picokube/api/core/v1";
import { semanticDeepEqual } from "@picokube/api/deep-equal";
import { invalid } from "@picokube/api/errors";
import { isSidecar, qosClass } from "@picokube/api/pod";
import { type FieldError, forbiddenField, invalidValue } from "@picokube/api/validation/field-error";
import { mirrorAnnotation } from "./pod-annotation-validation.js";
import { validatePodMetadataAndSpec } from "./pod-validation.js";
import { quantityOrUndefined } from "./resource-validation.js";
import { specDiff } from "./spec-diff.js";

type Amounts = { readonly [name: string]: string | number };

function throwFaults(faults: readonly FieldError[], { metadata }: Pod): void {
  if (faults.length > 0) throw invalid(pods, metadata.name, faults);
}

/** The old pod with the new list of ephemeral containers; those that it has stay as they are. */
export function mergeEphemeralContainers(pod: Pod, old: Pod): Pod {
  const merged = structuredClone(old);
  if (!merged.spec) return merged;
  const path = "spec.ephemeralContainers";
  const next: EphemeralContainer[] = pod.spec?.ephemeralContainers ?? [];
  const before = merged.spec.ephemeralContainers ?? [];
  if (next.length > 0) merged.spec.ephemeralContainers = next;
  else delete merged.spec.ephemeralContainers;
  if (old.metadata.annotations?.[mirrorAnnotation] !== undefined) {
    throwFaults([forbiddenField("", "static pods do not support ephemeral containers")], old);
  }
  const faults = validatePodMetadataAndSpec(merged);
  for (const container of before) {
    const kept = next.find(({ name }) => name === container.name);
    const words = `existing ephemeral containers "${container.name}" may not be`;
    if (!kept) faults.push(forbiddenField(path, `${words} removed\n`));
    else if (!semanticDeepEqual(kept, container)) {
      faults.push(forbiddenField(path, `${words} changed\n${specDiff(container, kept, "ephemeralContainer")}`));
    }
  }
  throwFaults(faults, old);
  return merged;
}

const lacks = (now: Amounts | undefined, then: Amounts | undefined) =>
  Object.keys(then ?? {}).some((name) => now?.[name] === undefined);

/** Requests and limits are never removed, and a memory limit is lowered only where the container restarts for it. */
function containerFaults(now: Container, then: Container, path: string): FieldError[] {
  const faults: FieldError[] = [];
  const [next, before] = [now.resources, then.resources];
  if (lacks(next?.requests, before?.requests)) {
    faults.push(forbiddenField(`${path}.requests`, "resource requests cannot be removed"));
  }
  if (lacks(next?.limits, before?.limits)) {
    faults.push(forbiddenField(`${path}.limits`, "resource limits cannot be removed"));
  }
  const policy = now.resizePolicy?.find(({ resourceName }) => resourceName === "memory")?.restartPolicy;
  const limit = quantityOrUndefined(next?.limits?.memory);
  if (!limit || policy === "RestartContainer") return faults;
  const old = quantityOrUndefined(before?.limits?.memory);
  const verb = old ? "decreased" : "added";
  if (old && limit.compare(old) >= 0) return faults;
  const words = `memory limits cannot be ${verb} unless resizePolicy is RestartContainer`;
  return [...faults, forbiddenField(`${path}.limits[memory]`, words)];
}

/** The container without its amounts of CPU and memory, which alone may change. */
function withoutCpuAndMemory({ resources, ...rest }: Container) {
  const others = (amounts: Amounts | undefined) =>
    Object.fromEntries(Object.entries(amounts ?? {}).filter(([name]) => name !== "cpu" && name !== "memory"));
  return { ...rest, limits: others(resources?.limits), requests: others(resources?.requests) };
}

function mutabilityFaults(spec: PodSpec, before: PodSpec): FieldError[] {
  const faults: FieldError[] = [];
  const differ = (now: Container, then: Container) =>
    !semanticDeepEqual(withoutCpuAndMemory(now), withoutCpuAndMemory(then));
  for (const [index, container] of (spec.containers ?? []).entries()) {
    if (differ(container, before.containers[index]!)) {
      faults.push(forbiddenField("spec", "only cpu and memory resources are mutable"));
    }
  }
  for (const [index, container] of (spec.initContainers ?? []).entries()) {
    const old = before.initContainers![index]!;
    if (isSidecar(container)) {
      const words = "only cpu and memory resources for sidecar containers are mutable";
      if (differ(container, old)) faults.push(forbiddenField("spec", words));
    } else if (!semanticDeepEqual(container, old)) {
      faults.push(forbiddenField("spec", "resources for non-sidecar init containers are immutable"));
    }
  }
  return faults;
}

function resized(containers: readonly Container[] | undefined, wanted: readonly Container[] | undefined): Container[] {
  return (containers ?? []).map((container) => {
    const next = wanted?.find(({ name }) => name === container.name);
    if (!next) return container;
    const result = { ...container };
    if (next.resources) result.resources = next.resources;
    if (next.resizePolicy) result.resizePolicy = next.resizePolicy;
    return result;
  });
}

/** Whether the pod's node can resize: its running containers tell of their resources, or none runs yet. */
function isSupported({ status }: Pod): boolean {
  const running = status?.containerStatuses?.find(({ state }) => state?.running);
  return running === undefined || running.resources !== undefined;
}

/** The old pod with the new requests and limits of its containers; its QoS class must stay. */
export function mergeResize(pod: Pod, old: Pod): Pod {
  const merged = structuredClone(old);
  const before = old.spec;
  if (!merged.spec || !before) return merged;
  merged.spec.containers = resized(before.containers, pod.spec?.containers);
  if (before.initContainers) merged.spec.initContainers = resized(before.initContainers, pod.spec?.initContainers);
  if (old.metadata.annotations?.[mirrorAnnotation] !== undefined) {
    throwFaults([forbiddenField("", "static pods cannot be resized")], old);
  }
  if (before.os?.name === "windows") throwFaults([forbiddenField("", "windows pods cannot be resized")], old);
  const faults = validatePodMetadataAndSpec(merged);
  throwFaults(faults, old);
  const qos = old.status?.qosClass ?? qosClass(old);
  if (qos !== qosClass(merged)) {
    faults.push(invalidValue("spec", qos, "Pod QOS Class may not change as a result of resizing"));
  }
  if (!isSupported(old)) faults.push(forbiddenField("spec", "Pod running on node without support for resize"));
  for (const list of ["initContainers", "containers"] as const) {
    for (const [index, container] of (merged.spec[list] ?? []).entries()) {
      if (list === "initContainers" && !isSidecar(container)) continue;
      const path = `spec.${list}[${index}].resources`;
      faults.push(...containerFaults(container, before[list]![index]!, path));
    }
  }
  faults.push(...mutabilityFaults(merged.spec, before));
  throwFaults(faults, old);
  return merged;
}
