// What a valid StatefulSet is, in upstream's words (upstream: ValidateStatefulSet). Pure.

import type { StatefulSet } from "@picokube/api/apps/v1";
import { semanticDeepEqual } from "@picokube/api/deep-equal";
import {
  type FieldError,
  forbiddenField,
  invalidValue,
  notSupported,
  required,
} from "@picokube/api/validation/field-error";
import { nonnegative } from "../check.js";
import { validateSelector, validateWorkloadTemplate } from "./workload-validation.js";

type Spec = NonNullable<StatefulSet["spec"]>;

function validateUpdateStrategy(strategy: Spec["updateStrategy"]): FieldError[] {
  const path = "spec.updateStrategy";
  const rolling = strategy?.rollingUpdate;
  switch (strategy?.type) {
    case undefined:
      return [required(path)];
    case "OnDelete":
      return rolling
        ? [invalidValue(`${path}.rollingUpdate`, rolling, "only allowed for updateStrategy 'RollingUpdate'")]
        : [];
    case "RollingUpdate":
      return nonnegative(`${path}.rollingUpdate.partition`, rolling?.partition);
    default:
      return [invalidValue(path, strategy, "must be 'RollingUpdate' or 'OnDelete'")];
  }
}

function validateRetention(policy: Spec["persistentVolumeClaimRetentionPolicy"]): FieldError[] {
  const faults: FieldError[] = [];
  for (const field of ["whenDeleted", "whenScaled"] as const) {
    const value = policy?.[field];
    if (value === undefined || value === "Retain" || value === "Delete") continue;
    faults.push(notSupported(`spec.persistentVolumeClaimRetentionPolicy.${field}`, value, ["Retain", "Delete"]));
  }
  return faults;
}

/** A StatefulSet as it is created. */
export function validateStatefulSet({ spec = {} as Spec }: StatefulSet): FieldError[] {
  const faults: FieldError[] = [];
  const policy = spec.podManagementPolicy;
  if (!policy) faults.push(required("spec.podManagementPolicy"));
  else if (policy !== "OrderedReady" && policy !== "Parallel") {
    faults.push(invalidValue("spec.podManagementPolicy", policy, "must be 'OrderedReady' or 'Parallel'"));
  }
  return [
    ...faults,
    ...validateUpdateStrategy(spec.updateStrategy),
    ...validateRetention(spec.persistentVolumeClaimRetentionPolicy),
    ...nonnegative("spec.replicas", spec.replicas),
    ...nonnegative("spec.minReadySeconds", spec.minReadySeconds),
    ...nonnegative("spec.ordinals.start", spec.ordinals?.start),
    ...validateSelector(spec.selector, "statefulset"),
    ...validateWorkloadTemplate(
      { selector: spec.selector, template: spec.template && withClaims(spec) },
      "StatefulSet",
    ),
  ];
}

/** The template with a volume for each claim template, so that mounts of them are found (upstream does not look at all). */
function withClaims({ template, volumeClaimTemplates = [] }: Spec): Spec["template"] {
  if (!template.spec) return template;
  const own = template.spec.volumes ?? [];
  const claims = volumeClaimTemplates
    .map(({ metadata }) => metadata?.name ?? "")
    .filter((name) => name !== "" && !own.some((volume) => volume.name === name))
    .map((name) => ({ name, emptyDir: {} }));
  return { ...template, spec: { ...template.spec, volumes: [...own, ...claims] } };
}

const mutable = [
  "replicas",
  "ordinals",
  "template",
  "updateStrategy",
  "revisionHistoryLimit",
  "persistentVolumeClaimRetentionPolicy",
  "minReadySeconds",
] as const;

/** A change of a StatefulSet: only a few fields may change. */
export function validateStatefulSetUpdate(statefulSet: StatefulSet, old: StatefulSet): FieldError[] {
  const faults = validateStatefulSet(statefulSet);
  const rest = (spec: Spec | undefined) =>
    Object.fromEntries(Object.entries(spec ?? {}).filter(([field]) => !(mutable as readonly string[]).includes(field)));
  if (!semanticDeepEqual(rest(statefulSet.spec), rest(old.spec))) {
    const names = mutable.map((field) => `'${field}'`);
    const list = `${names.slice(0, -1).join(", ")} and ${names.at(-1)}`;
    faults.push(forbiddenField("spec", `updates to statefulset spec for fields other than ${list} are forbidden`));
  }
  return faults;
}
