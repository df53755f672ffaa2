// What a valid pod is, and what an update may change of one (upstream: ValidatePodCreate, ValidatePodUpdate). Pure.

import type { Container, Pod, PodSpec, Toleration } from "@picokube/api/core/v1";
import { semanticDeepEqual } from "@picokube/api/deep-equal";
import { type FieldError, forbiddenField, invalidValue, required } from "@picokube/api/validation/field-error";
import { validatePodSpec } from "./pod-spec-validation.js";
import { validateTolerations } from "./scheduling-validation.js";

const emptySpec: PodSpec = { containers: [] };

/** A pod as it is created. */
export function validatePod({ spec = emptySpec }: Pod): FieldError[] {
  const faults = validatePodSpec(spec, "spec");
  if ((spec.ephemeralContainers ?? []).length > 0) {
    faults.push(forbiddenField("spec.ephemeralContainers", "cannot be set on create"));
  }
  if (spec.nodeName && (spec.schedulingGates ?? []).length > 0) {
    faults.push(forbiddenField("spec.nodeName", "cannot be set until all schedulingGates have been cleared"));
  }
  return faults;
}

const updatable = [
  "`spec.containers[*].image`",
  "`spec.initContainers[*].image`",
  "`spec.activeDeadlineSeconds`",
  "`spec.tolerations` (only additions to existing tolerations)",
  "`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)",
].join(",");

/** The innermost fields that differ, one a line. */
function differences(before: unknown, after: unknown, path: string): string[] {
  if (semanticDeepEqual(before, after)) return [];
  const isTree = (value: unknown): value is Record<string, unknown> => typeof value === "object" && value !== null;
  if (!isTree(before) || !isTree(after)) {
    return [`-${path}: ${JSON.stringify(before)}`, `+${path}: ${JSON.stringify(after)}`];
  }
  return [...new Set([...Object.keys(before), ...Object.keys(after)])].flatMap((key) =>
    differences(before[key], after[key], Array.isArray(after) ? `${path}[${key}]` : `${path}.${key}`),
  );
}

function imageFaults(containers: readonly Container[] | undefined, path: string): FieldError[] {
  return (containers ?? []).flatMap(({ image = "" }, index) => {
    if (image === "") return [required(`${path}[${index}].image`)];
    const words = "must not have leading or trailing whitespace";
    return image.trim() === image ? [] : [invalidValue(`${path}[${index}].image`, image, words)];
  });
}

function deadlineFaults(spec: PodSpec, before: PodSpec): FieldError[] {
  const field = "spec.activeDeadlineSeconds";
  const { activeDeadlineSeconds: now } = spec;
  const { activeDeadlineSeconds: then } = before;
  if (now === undefined) {
    return then === undefined
      ? []
      : [invalidValue(field, null, "must not update from a positive integer to nil value")];
  }
  if (now < 0 || now > 2147483647) return [invalidValue(field, now, "must be between 0 and 2147483647, inclusive")];
  return then !== undefined && then < now
    ? [invalidValue(field, now, "must be less than or equal to previous value")]
    : [];
}

function onlyAddsTolerations(now: readonly Toleration[], then: readonly Toleration[]): boolean {
  const shape = ({ tolerationSeconds: _, ...rest }: Toleration) => rest;
  return then.every((old) => now.some((toleration) => semanticDeepEqual(shape(old), shape(toleration))));
}

/** The spec with all that may change put back, to be compared with the old one. */
function munged(spec: PodSpec, before: PodSpec): PodSpec {
  const images = (now: readonly Container[] | undefined, then: readonly Container[] | undefined) =>
    now?.map((container, index) => {
      const image = then?.[index]?.image;
      return image === undefined ? container : { ...container, image };
    });
  const result: PodSpec = { ...spec, containers: images(spec.containers, before.containers) ?? [] };
  const initContainers = images(spec.initContainers, before.initContainers);
  if (initContainers) result.initContainers = initContainers;
  const put = <Field extends keyof PodSpec>(field: Field) => {
    if (before[field] === undefined) delete result[field];
    else result[field] = before[field];
  };
  put("activeDeadlineSeconds");
  put("tolerations");
  if (spec.terminationGracePeriodSeconds === 1 && (before.terminationGracePeriodSeconds ?? 0) < 0) {
    put("terminationGracePeriodSeconds");
  }
  const gates = before.schedulingGates ?? [];
  if (gates.length > 0) {
    put("schedulingGates");
    const kept = Object.entries(before.nodeSelector ?? {}).every(([key, value]) => spec.nodeSelector?.[key] === value);
    if (kept) put("nodeSelector");
  }
  return result;
}

/** A change of a pod through the main resource. */
export function validatePodUpdate(pod: Pod, old: Pod): FieldError[] {
  const spec = pod.spec ?? emptySpec;
  const before = old.spec ?? emptySpec;
  const words = "pod updates may not add or remove containers";
  if ((spec.containers ?? []).length !== (before.containers ?? []).length)
    return [forbiddenField("spec.containers", words)];
  if ((spec.initContainers ?? []).length !== (before.initContainers ?? []).length) {
    return [forbiddenField("spec.initContainers", words)];
  }
  const faults = [
    ...imageFaults(spec.containers, "spec.containers"),
    ...imageFaults(spec.initContainers, "spec.initContainers"),
    ...deadlineFaults(spec, before),
  ];
  for (const { name } of spec.schedulingGates ?? []) {
    if ((before.schedulingGates ?? []).some((gate) => gate.name === name)) continue;
    const found = `only deletion is allowed, but found new scheduling gate '${name}'`;
    faults.push(forbiddenField("spec.schedulingGates", found));
  }
  if (!semanticDeepEqual(spec.tolerations, before.tolerations)) {
    faults.push(...validateTolerations(spec.tolerations, "spec.tolerations"));
    if (!onlyAddsTolerations(spec.tolerations ?? [], before.tolerations ?? [])) {
      const modified = "existing toleration can not be modified except its tolerationSeconds";
      faults.push(forbiddenField("spec.tolerations", modified));
    }
  }
  if (faults.length > 0) return faults;
  const changed = differences(before, munged(spec, before), "spec");
  if (changed.length === 0) return [];
  const fields = `pod updates may not change fields other than ${updatable}`;
  return [forbiddenField("spec", `${fields}\n${changed.join("\n")}\n`)];
}
