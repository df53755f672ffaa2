// What a valid pod is, and what an update may change of one (upstream: ValidatePodCreate, ValidatePodUpdate). Pure.

import type { Container, NodeAffinity, NodeSelectorTerm, Pod, PodSpec, Toleration } from "@picokube/api/core/v1";
import { semanticDeepEqual } from "@picokube/api/deep-equal";
import { type FieldError, forbiddenField, invalidValue, required } from "@picokube/api/validation/field-error";
import { goStringMap } from "@picokube/api/validation/go-syntax";
import { validateImageOfPod } from "./container-validation.js";
import {
  validateAnnotationChanges,
  validatePodAnnotations,
  validateProfileAnnotations,
} from "./pod-annotation-validation.js";
import { validatePodSpec } from "./pod-spec-validation.js";
import { validateTolerations } from "./scheduling-validation.js";
import { specDiff } from "./spec-diff.js";

const emptySpec: PodSpec = { containers: [] };

function tokensWithoutAccount({ volumes, serviceAccountName }: PodSpec): FieldError[] {
  if (serviceAccountName) return [];
  const words = "must not be specified when serviceAccountName is not set";
  return (volumes ?? []).flatMap(({ projected }, index) =>
    (projected?.sources ?? []).flatMap(({ serviceAccountToken }, place) =>
      serviceAccountToken
        ? [forbiddenField(`spec.volumes[${index}].projected.sources[${place}].serviceAccountToken`, words)]
        : [],
    ),
  );
}

/** What holds of a pod whenever it is written (upstream: validatePodMetadataAndSpec). */
export function validatePodMetadataAndSpec({ metadata, spec = emptySpec }: Pod): FieldError[] {
  return [
    ...validatePodAnnotations(metadata.annotations, spec, "metadata.annotations"),
    ...validatePodSpec(spec, "spec", metadata),
    ...tokensWithoutAccount(spec),
    ...(["containers", "initContainers"] as const).flatMap((list) =>
      (spec[list] ?? []).flatMap((container, index) => validateImageOfPod(container, `spec.${list}[${index}]`)),
    ),
  ];
}

/** A pod as it is created. */
export function validatePod(pod: Pod): FieldError[] {
  const { metadata, spec = emptySpec } = pod;
  const faults = validatePodMetadataAndSpec(pod);
  if ((spec.ephemeralContainers ?? []).length > 0) {
    faults.push(forbiddenField("spec.ephemeralContainers", "cannot be set on create"));
  }
  if (spec.nodeName && (spec.schedulingGates ?? []).length > 0) {
    faults.push(forbiddenField("spec.nodeName", "cannot be set until all schedulingGates have been cleared"));
  }
  return [...faults, ...validateProfileAnnotations(metadata.annotations, spec, "spec")];
}

const updatable = [
  "`spec.containers[*].image`",
  "`spec.initContainers[*].image`",
  "`spec.activeDeadlineSeconds`",
  "`spec.tolerations` (only additions to existing tolerations)",
  "`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)",
].join(",");

function imageFaults(containers: readonly Container[] | undefined, path: string): FieldError[] {
  return (containers ?? []).flatMap((container, index) => {
    const at = `${path}[${index}]`;
    return [...(container.image ? [] : [required(`${at}.image`)]), ...validateImageOfPod(container, at)];
  });
}

/** Whether a deadline may follow another; the first fault that isLast ends the whole validation upstream. */
function deadlineFaults(spec: PodSpec, before: PodSpec): { faults: FieldError[]; isLast: boolean } {
  const field = "spec.activeDeadlineSeconds";
  const { activeDeadlineSeconds: now } = spec;
  const { activeDeadlineSeconds: then } = before;
  const fault = (value: number | undefined, words: string) => ({
    faults: [invalidValue(field, value, words)],
    isLast: value !== undefined,
  });
  if (now === undefined) {
    if (then === undefined) return { faults: [], isLast: false };
    return fault(now, "must not update from a positive integer to nil value");
  }
  if (now < 0 || now > 2147483647) return fault(now, "must be between 0 and 2147483647, inclusive");
  if (then !== undefined && then < now) return fault(now, "must be less than or equal to previous value");
  return { faults: [], isLast: false };
}

function tolerationFaults(now: readonly Toleration[], then: readonly Toleration[]): FieldError[] {
  const shape = ({ tolerationSeconds: _, ...rest }: Toleration) => rest;
  const keeps = then.every((old) => now.some((toleration) => semanticDeepEqual(shape(old), shape(toleration))));
  const words = "existing toleration can not be modified except its tolerationSeconds";
  return keeps ? validateTolerations(now, "spec.tolerations") : [forbiddenField("spec.tolerations", words)];
}

function gateFaults(spec: PodSpec, before: PodSpec): FieldError[] {
  return (spec.schedulingGates ?? []).flatMap(({ name }, index) => {
    if ((before.schedulingGates ?? []).some((gate) => gate.name === name)) return [];
    const words = `only deletion is allowed, but found new scheduling gate '${name}'`;
    return [forbiddenField(`spec.schedulingGates[${index}].name`, words)];
  });
}

function onlyAdds(term: NodeSelectorTerm, old: NodeSelectorTerm): boolean {
  const lists = ["matchExpressions", "matchFields"] as const;
  const wasEmpty = lists.every((list) => (old[list] ?? []).length === 0);
  if (wasEmpty && lists.some((list) => (term[list] ?? []).length > 0)) return false;
  return lists.every((list) => {
    const before = old[list] ?? [];
    return semanticDeepEqual((term[list] ?? []).slice(0, before.length), before);
  });
}

/** What may become of a gated pod's node affinity (upstream: validateNodeAffinityMutation). */
function nodeAffinityFaults(now: NodeAffinity | undefined, then: NodeAffinity | undefined): FieldError[] {
  const field = "requiredDuringSchedulingIgnoredDuringExecution";
  const path = `spec.affinity.nodeAffinity.${field}.nodeSelectorTerms`;
  const before = then?.[field]?.nodeSelectorTerms ?? [];
  const terms = now?.[field]?.nodeSelectorTerms ?? [];
  if (before.length > 0 && before.length !== terms.length) {
    return [invalidValue(path, terms, "no additions/deletions to non-empty NodeSelectorTerms list are allowed")];
  }
  return before.flatMap((old, index) =>
    onlyAdds(terms[index]!, old)
      ? []
      : [invalidValue(`${path}[${index}]`, terms[index], "only additions are allowed (no mutations or deletions)")],
  );
}

function put<Field extends keyof PodSpec>(spec: PodSpec, before: PodSpec, field: Field): void {
  if (before[field] === undefined) delete spec[field];
  else spec[field] = before[field];
}

/** Checks and then puts back what a gated pod may still change: more node selectors and node affinity. */
function restoreGated(spec: PodSpec, before: PodSpec): FieldError[] {
  if ((before.schedulingGates ?? []).length === 0) return [];
  const faults: FieldError[] = [];
  const kept = Object.entries(before.nodeSelector ?? {}).every(([key, value]) => spec.nodeSelector?.[key] === value);
  if (!kept) {
    const words = "only additions to spec.nodeSelector are allowed (no mutations or deletions)";
    faults.push(invalidValue("spec.nodeSelector", goStringMap(spec.nodeSelector), words));
  }
  put(spec, before, "nodeSelector");
  const [now, then] = [spec.affinity?.nodeAffinity, before.affinity?.nodeAffinity];
  if (semanticDeepEqual(now, then)) return faults;
  faults.push(...nodeAffinityFaults(now, then));
  const { nodeAffinity: _, ...others } = spec.affinity ?? {};
  spec.affinity = then ? { ...others, nodeAffinity: then } : others;
  return faults;
}

/** A copy of the spec with all put back that may change, to be compared with the old one. */
function restored(spec: PodSpec, before: PodSpec): PodSpec {
  const images = (now: readonly Container[] | undefined, then: readonly Container[] | undefined) =>
    now?.map((container, index) => {
      const image = then?.[index]?.image;
      return image === undefined ? container : { ...container, image };
    });
  const result: PodSpec = { ...spec, containers: images(spec.containers, before.containers) ?? [] };
  const initContainers = images(spec.initContainers, before.initContainers);
  if (initContainers) result.initContainers = initContainers;
  put(result, before, "activeDeadlineSeconds");
  put(result, before, "schedulingGates");
  put(result, before, "tolerations");
  if (spec.terminationGracePeriodSeconds === 1 && (before.terminationGracePeriodSeconds ?? 0) < 0) {
    put(result, before, "terminationGracePeriodSeconds");
  }
  return result;
}

/** A change of a pod through the main resource. */
export function validatePodUpdate(pod: Pod, old: Pod): FieldError[] {
  const { metadata, spec = emptySpec } = pod;
  const before = old.spec ?? emptySpec;
  const faults = [
    ...validatePodMetadataAndSpec(pod),
    ...validateAnnotationChanges(metadata.annotations, old.metadata.annotations, "metadata.annotations"),
    ...validatePodAnnotations(metadata.annotations, spec, "metadata.annotations"),
  ];
  for (const list of ["containers", "initContainers"] as const) {
    if ((spec[list] ?? []).length !== (before[list] ?? []).length) {
      return [...faults, forbiddenField(`spec.${list}`, "pod updates may not add or remove containers")];
    }
    faults.push(...imageFaults(spec[list], `spec.${list}`));
  }
  const deadline = deadlineFaults(spec, before);
  faults.push(...deadline.faults);
  if (deadline.isLast) return faults;
  faults.push(...tolerationFaults(spec.tolerations ?? [], before.tolerations ?? []), ...gateFaults(spec, before));
  const next = restored(spec, before);
  faults.push(...restoreGated(next, before));
  const diff = specDiff(before, next, "spec");
  if (diff === "") return faults;
  const words = `pod updates may not change fields other than ${updatable}`;
  return [...faults, forbiddenField("spec", `${words}\n${diff}`)];
}
