// What a valid DaemonSet is, in upstream's words (upstream: ValidateDaemonSet). Pure.

import type { DaemonSet } from "@picokube/api/apps/v1";
import { type FieldError, invalidValue, notSupported, required } from "@picokube/api/validation/field-error";
import { goIntOrString } from "@picokube/api/validation/go-syntax";
import { nonnegative, notMoreThan100Percent, positiveIntOrPercent } from "../check.js";
import { immutableSelector } from "../immutable.js";
import { validateSelector, validateWorkloadTemplate } from "./workload-validation.js";

type Spec = NonNullable<DaemonSet["spec"]>;

const isZero = (value: number | string | undefined) => value === 0 || value === "0%" || value === undefined;

function validateStrategy(strategy: Spec["updateStrategy"]): FieldError[] {
  const path = "spec.updateStrategy";
  if (strategy?.type === "OnDelete") return [];
  if (strategy?.type !== "RollingUpdate") {
    return [notSupported(`${path}.type`, strategy?.type ?? "", ["RollingUpdate", "OnDelete"])];
  }
  const rolling = strategy.rollingUpdate;
  if (!rolling) return [required(`${path}.rollingUpdate`)];
  const at = `${path}.rollingUpdate`;
  const { maxUnavailable, maxSurge } = rolling;
  const faults = [
    ...positiveIntOrPercent(`${at}.maxUnavailable`, maxUnavailable),
    ...notMoreThan100Percent(`${at}.maxUnavailable`, maxUnavailable),
    ...positiveIntOrPercent(`${at}.maxSurge`, maxSurge),
    ...notMoreThan100Percent(`${at}.maxSurge`, maxSurge),
  ];
  if (!isZero(maxUnavailable) && !isZero(maxSurge)) {
    faults.push(
      invalidValue(`${at}.maxSurge`, goIntOrString(maxSurge), "may not be set when maxUnavailable is non-zero"),
    );
  } else if (isZero(maxUnavailable) && isZero(maxSurge)) {
    faults.push(required(`${at}.maxUnavailable`, "cannot be 0 when maxSurge is 0"));
  }
  return faults;
}

/** A DaemonSet as it is created. */
export function validateDaemonSet({ spec = {} as Spec }: DaemonSet): FieldError[] {
  return [
    ...validateSelector(spec.selector, "daemonset"),
    ...validateWorkloadTemplate(spec, "DaemonSet"),
    ...nonnegative("spec.minReadySeconds", spec.minReadySeconds),
    ...validateStrategy(spec.updateStrategy),
    ...nonnegative("spec.revisionHistoryLimit", spec.revisionHistoryLimit),
  ];
}

/** A change of a DaemonSet: its selector stays. */
export function validateDaemonSetUpdate(daemonSet: DaemonSet, old: DaemonSet): FieldError[] {
  return [
    ...validateDaemonSet(daemonSet),
    ...immutableSelector("spec.selector", daemonSet.spec?.selector, old.spec?.selector),
  ];
}
