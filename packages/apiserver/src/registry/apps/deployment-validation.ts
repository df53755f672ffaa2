// What a valid Deployment is, in upstream's words (upstream: ValidateDeployment). Pure.

import type { Deployment, DeploymentSpec } from "@picokube/api/apps/v1";
import {
  type FieldError,
  forbiddenField,
  invalidValue,
  notSupported,
  required,
} from "@picokube/api/validation/field-error";
import { goIntOrString } from "@picokube/api/validation/go-syntax";
import { nonnegative, notMoreThan100Percent, positiveIntOrPercent } from "../check.js";
import { immutableSelector } from "../immutable.js";
import { validateSelector, validateWorkloadTemplate } from "./workload-validation.js";

const isZero = (value: number | string | undefined) => value === 0 || value === "0%" || value === undefined;

function validateStrategy(strategy: DeploymentSpec["strategy"]): FieldError[] {
  const path = "spec.strategy";
  const rolling = strategy?.rollingUpdate;
  if (strategy?.type === "Recreate") {
    const words = "may not be specified when strategy `type` is 'Recreate'";
    return rolling ? [forbiddenField(`${path}.rollingUpdate`, words)] : [];
  }
  if (strategy?.type !== "RollingUpdate") {
    return [notSupported(`${path}.type`, strategy?.type ?? "", ["Recreate", "RollingUpdate"])];
  }
  if (!rolling) return [required(`${path}.rollingUpdate`, "this should be defaulted and never be nil")];
  const { maxUnavailable, maxSurge } = rolling;
  const faults = [
    ...positiveIntOrPercent(`${path}.rollingUpdate.maxUnavailable`, maxUnavailable),
    ...positiveIntOrPercent(`${path}.rollingUpdate.maxSurge`, maxSurge),
  ];
  if (isZero(maxUnavailable) && isZero(maxSurge)) {
    const words = "may not be 0 when `maxSurge` is 0";
    faults.push(invalidValue(`${path}.rollingUpdate.maxUnavailable`, goIntOrString(maxUnavailable), words));
  }
  return [...faults, ...notMoreThan100Percent(`${path}.rollingUpdate.maxUnavailable`, maxUnavailable)];
}

/** A Deployment as it is created. */
export function validateDeployment({ spec = {} as DeploymentSpec }: Deployment): FieldError[] {
  const deadline = spec.progressDeadlineSeconds;
  const faults = [
    ...nonnegative("spec.replicas", spec.replicas),
    ...validateSelector(spec.selector, "deployment"),
    ...validateWorkloadTemplate(spec, "ReplicaSet"),
    ...validateStrategy(spec.strategy),
    ...nonnegative("spec.minReadySeconds", spec.minReadySeconds),
    ...nonnegative("spec.revisionHistoryLimit", spec.revisionHistoryLimit),
    ...nonnegative("spec.progressDeadlineSeconds", deadline),
  ];
  if (deadline !== undefined && deadline <= (spec.minReadySeconds ?? 0)) {
    faults.push(invalidValue("spec.progressDeadlineSeconds", deadline, "must be greater than minReadySeconds"));
  }
  return faults;
}

/** A change of a Deployment: its selector stays. */
export function validateDeploymentUpdate(deployment: Deployment, old: Deployment): FieldError[] {
  return [
    ...validateDeployment(deployment),
    ...immutableSelector("spec.selector", deployment.spec?.selector, old.spec?.selector),
  ];
}
