// What a valid Job is, in upstream's words (upstream: ValidateJob). Pure.

import type { Job, JobSpec } from "@picokube/api/batch/v1";
import { type FieldError, invalidValue, notSupported, required, tooLong } from "@picokube/api/validation/field-error";
import { goLabelSelector, goStringMap } from "@picokube/api/validation/go-syntax";
import { isDNS1123Label } from "@picokube/api/validation/names";
import { mismatch, selectsTemplate } from "../apps/workload-validation.js";
import { domainPrefixedPath, nonnegative, oneOfIfSet } from "../check.js";
import { validatePodTemplateSpec } from "../core/pod-spec-validation.js";
import { immutable, immutableSelector } from "../immutable.js";
import { validateLabelSelector } from "../label-validation.js";
import { validatePodFailurePolicy, validateSuccessPolicy } from "./job-policy-validation.js";

const emptySpec = {} as JobSpec;

const maxIndexedParallelism = 100_000;
const maxFailedIndexes = 100_000;
const completionsSoftLimit = 100_000;
const highCompletionsLimit = 10_000;
const maxManagedByBytes = 63;

function validateIndexed(spec: JobSpec, path: string): FieldError[] {
  const { completions, parallelism, maxFailedIndexes: failed, backoffLimitPerIndex } = spec;
  const faults: FieldError[] = [];
  const failedPath = `${path}.maxFailedIndexes`;
  if (completions === undefined) faults.push(required(`${path}.completions`, "when completion mode is Indexed"));
  if (parallelism !== undefined && parallelism > maxIndexedParallelism) {
    const words = `must be less than or equal to ${maxIndexedParallelism} when completion mode is Indexed`;
    faults.push(invalidValue(`${path}.parallelism`, parallelism, words));
  }
  if (completions !== undefined && failed !== undefined && failed > completions) {
    faults.push(invalidValue(failedPath, failed, "must be less than or equal to completions"));
  }
  if (failed !== undefined && failed > maxFailedIndexes) {
    faults.push(invalidValue(failedPath, failed, `must be less than or equal to ${maxFailedIndexes}`));
  }
  if (completions === undefined || completions <= completionsSoftLimit || backoffLimitPerIndex === undefined) {
    return faults;
  }
  const words = `must be less than or equal to ${highCompletionsLimit} when completions are above ${completionsSoftLimit} and used with backoff limit per index`;
  if (failed === undefined) {
    faults.push(required(failedPath, `must be specified when completions is above ${completionsSoftLimit}`));
  }
  if (parallelism !== undefined && parallelism > highCompletionsLimit) {
    faults.push(invalidValue(`${path}.parallelism`, parallelism, words));
  }
  if (failed !== undefined && failed > highCompletionsLimit) faults.push(invalidValue(failedPath, failed, words));
  return faults;
}

function validateCompletionMode(spec: JobSpec, path: string): FieldError[] {
  const mode = spec.completionMode;
  if (mode === "Indexed") return validateIndexed(spec, path);
  if (mode !== undefined && mode !== "NonIndexed") {
    return [notSupported(`${path}.completionMode`, mode, ["NonIndexed", "Indexed"])];
  }
  return (["backoffLimitPerIndex", "maxFailedIndexes"] as const)
    .filter((field) => spec[field] !== undefined)
    .map((field) => invalidValue(`${path}.${field}`, spec[field], "requires indexed completion mode"));
}

function validateRestartPolicy(spec: JobSpec, path: string): FieldError[] {
  const policy = spec.template?.spec?.restartPolicy;
  if (!policy || policy === "Always") return [required(path, 'valid values: "OnFailure", "Never"')];
  if (policy !== "OnFailure" && policy !== "Never") return [notSupported(path, policy, ["OnFailure", "Never"])];
  const words = 'only "Never" is supported when podFailurePolicy is specified';
  return spec.podFailurePolicy && policy !== "Never" ? [invalidValue(path, policy, words)] : [];
}

/** A Job's spec, also inside a CronJob: all but its selector. */
export function validateJobSpec(spec: JobSpec, path: string): FieldError[] {
  const counts = [
    "parallelism",
    "completions",
    "activeDeadlineSeconds",
    "backoffLimit",
    "ttlSecondsAfterFinished",
    "backoffLimitPerIndex",
    "maxFailedIndexes",
  ] as const;
  const faults = counts.flatMap((field) => nonnegative(`${path}.${field}`, spec[field]));
  if (spec.maxFailedIndexes !== undefined && spec.backoffLimitPerIndex === undefined) {
    faults.push(required(`${path}.backoffLimitPerIndex`, "when maxFailedIndexes is specified"));
  }
  if (spec.managedBy !== undefined) {
    faults.push(...domainPrefixedPath(`${path}.managedBy`, spec.managedBy));
    if (Buffer.byteLength(spec.managedBy) > maxManagedByBytes) {
      faults.push(tooLong(`${path}.managedBy`, maxManagedByBytes));
    }
  }
  const replacement = spec.podFailurePolicy ? ["Failed"] : ["Failed", "TerminatingOrFailed"];
  return [
    ...faults,
    ...validateCompletionMode(spec, path),
    ...validatePodFailurePolicy(spec, `${path}.podFailurePolicy`),
    ...validateSuccessPolicy(spec, `${path}.successPolicy`),
    ...oneOfIfSet(`${path}.podReplacementPolicy`, spec.podReplacementPolicy, replacement),
    ...validatePodTemplateSpec(spec.template, `${path}.template`),
    ...validateRestartPolicy(spec, `${path}.template.spec.restartPolicy`),
  ];
}

function validateSelector(spec: JobSpec): FieldError[] {
  const faults = spec.selector ? validateLabelSelector(spec.selector, "spec.selector") : [required("spec.selector")];
  if (spec.selector && !selectsTemplate(spec.selector, spec.template)) {
    faults.push(invalidValue("spec.template.metadata.labels", goStringMap(spec.template?.metadata?.labels), mismatch));
  }
  return faults;
}

/** A selector that was not asked for by hand is the generated one (upstream: validateGeneratedSelector). */
function validateGenerated({ metadata, spec }: Job): FieldError[] {
  if (!spec?.selector || spec.manualSelector) return [];
  const { name = "", uid } = metadata;
  const generated = {
    "controller-uid": uid,
    "job-name": name,
    "batch.kubernetes.io/controller-uid": uid,
    "batch.kubernetes.io/job-name": name,
  };
  const faults: FieldError[] = [];
  const actualLabels = spec.template?.metadata?.labels;
  for (const [key, value] of Object.entries(generated)) {
    const actual = actualLabels?.[key];
    const at = `spec.template.metadata.labels[${key}]`;
    if (actual === undefined) faults.push(required(at, `must be '${value}'`));
    else if (actual !== value) faults.push(invalidValue(at, goStringMap(actualLabels), `must be '${value}'`));
  }
  if (!selectsTemplate(spec.selector, { metadata: { labels: generated } } as unknown as JobSpec["template"])) {
    faults.push(invalidValue("spec.selector", goLabelSelector(spec.selector), "`selector` not auto-generated"));
  }
  return faults;
}

/** A Job as it is created. */
export function validateJob(job: Job): FieldError[] {
  const { metadata, spec = emptySpec } = job;
  const faults = [...validateGenerated(job), ...validateJobSpec(spec, "spec"), ...validateSelector(spec)];
  if (spec.completionMode !== "Indexed" || !spec.completions || spec.completions < 0) return faults;
  const hostname = `${metadata.name}-${spec.completions - 1}`;
  if (isDNS1123Label(hostname).length > 0) {
    const words = `will not able to create pod with invalid DNS label: ${hostname}`;
    faults.push(invalidValue("metadata.name", metadata.name, words));
  }
  return faults;
}

/** The old template with what a Job that waits may still change: where its pods may run, and their labels. */
function withSchedulingOf(template: JobSpec["template"], old: JobSpec["template"]): JobSpec["template"] {
  const { nodeSelector, tolerations, schedulingGates, affinity } = template?.spec ?? {};
  const { nodeAffinity: _old, ...others } = old?.spec?.affinity ?? {};
  const nodeAffinity = affinity?.nodeAffinity;
  const merged = nodeAffinity ? { ...others, nodeAffinity } : others;
  const isGone = affinity === undefined && Object.keys(others).length === 0;
  return {
    ...old,
    metadata: { ...old?.metadata, annotations: template?.metadata?.annotations, labels: template?.metadata?.labels },
    spec: { ...old?.spec, nodeSelector, tolerations, schedulingGates, affinity: isGone ? undefined : merged },
  } as JobSpec["template"];
}

/** A change of a Job: completions, selector, template and modes stay; an indexed Job may change its size. */
export function validateJobUpdate(job: Job, old: Job): FieldError[] {
  const spec = job.spec ?? emptySpec;
  const before = old.spec ?? emptySpec;
  const faults = [...validateJobSpec(spec, "spec"), ...validateSelector(spec)];
  if (spec.completionMode !== "Indexed") {
    faults.push(...immutable("spec.completions", spec.completions, before.completions));
  } else if (
    spec.completions !== undefined &&
    spec.completions !== before.completions &&
    spec.completions !== spec.parallelism
  ) {
    const words = "can only be modified in tandem with spec.parallelism";
    faults.push(invalidValue("spec.completions", spec.completions, words));
  }
  faults.push(...immutableSelector("spec.selector", spec.selector, before.selector));
  const neverStarted = before.suspend === true && !old.status?.startTime;
  const template = neverStarted ? withSchedulingOf(spec.template, before.template) : before.template;
  faults.push(...immutable("spec.template", spec.template, template));
  const fixed = ["completionMode", "podFailurePolicy", "backoffLimitPerIndex", "managedBy", "successPolicy"] as const;
  for (const field of fixed) faults.push(...immutable(`spec.${field}`, spec[field], before[field]));
  return faults;
}
