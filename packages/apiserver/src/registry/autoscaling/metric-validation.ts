// The metrics that a HorizontalPodAutoscaler follows, in upstream's words (upstream: validateMetricSpec). Pure.

import type { HorizontalPodAutoscaler } from "@picokube/api/autoscaling/v2";
import {
  type FieldError,
  forbiddenField,
  invalidValue,
  notSupported,
  required,
} from "@picokube/api/validation/field-error";
import { isDNS1123Label } from "@picokube/api/validation/names";
import { objections, requiredPathSegment } from "../check.js";
import { containerResourceNameFaults, quantityOrUndefined } from "../core/resource-validation.js";

type Metric = NonNullable<NonNullable<HorizontalPodAutoscaler["spec"]>["metrics"]>[number];
type Target = NonNullable<Metric["resource"]>["target"];

const types = ["ContainerResource", "External", "Object", "Pods", "Resource"];
const bothTargets = "may not set both a target raw value and a target utilization";
const noTarget = "must set either a target raw value or a target utilization";

/** A reference to what is scaled or described (upstream: ValidateCrossVersionObjectReference). */
export function validateObjectReference(
  reference: { readonly kind?: string; readonly name?: string } | undefined,
  path: string,
): FieldError[] {
  return [
    ...requiredPathSegment(`${path}.kind`, reference?.kind),
    ...requiredPathSegment(`${path}.name`, reference?.name),
  ];
}

function validateTarget(target: Target | undefined, path: string): FieldError[] {
  const { type = "", averageUtilization } = target ?? {};
  const faults = type === "" ? [required(`${path}.type`, "must specify a metric target type")] : [];
  if (!["Utilization", "Value", "AverageValue"].includes(type)) {
    faults.push(invalidValue(`${path}.type`, type, "must be either Utilization, Value, or AverageValue"));
  }
  for (const field of ["value", "averageValue"] as const) {
    const value = target?.[field];
    if (value !== undefined && quantityOrUndefined(value)?.sign !== 1) {
      faults.push(invalidValue(`${path}.${field}`, String(value), "must be positive"));
    }
  }
  if (averageUtilization !== undefined && averageUtilization < 1) {
    faults.push(invalidValue(`${path}.averageUtilization`, averageUtilization, "must be greater than 0"));
  }
  return faults;
}

function validateIdentified({ metric, target }: { metric?: { name?: string }; target?: Target }, path: string) {
  return [
    ...requiredPathSegment(`${path}.metric.name`, metric?.name, "must specify a metric name"),
    ...validateTarget(target, `${path}.target`),
  ];
}

function validateUtilization(target: Target | undefined, path: string): FieldError[] {
  const faults = validateTarget(target, path);
  const { averageUtilization, averageValue } = target ?? {};
  if (averageUtilization === undefined && averageValue === undefined) {
    faults.push(required(`${path}.averageUtilization`, noTarget));
  }
  if (averageUtilization !== undefined && averageValue !== undefined) {
    faults.push(forbiddenField(`${path}.averageValue`, bothTargets));
  }
  return faults;
}

/** How each source is checked; upstream looks at the first of them that is given. */
const sources = {
  object(source: NonNullable<Metric["object"]>, path: string): FieldError[] {
    const { value, averageValue } = source.target ?? {};
    const isMissing = value === undefined && averageValue === undefined;
    return [
      ...validateObjectReference(source.describedObject, `${path}.describedObject`),
      ...validateIdentified(source, path),
      ...(isMissing ? [required(`${path}.target.averageValue`, "must set either a target value or averageValue")] : []),
    ];
  },
  external(source: NonNullable<Metric["external"]>, path: string): FieldError[] {
    const faults = validateIdentified(source, path);
    const { value, averageValue } = source.target ?? {};
    if (value === undefined && averageValue === undefined) {
      const words = "must set either a target value for metric or a per-pod target";
      faults.push(required(`${path}.target.averageValue`, words));
    }
    if (value !== undefined && averageValue !== undefined) {
      const words = "may not set both a target value for metric and a per-pod target";
      faults.push(forbiddenField(`${path}.target.value`, words));
    }
    return faults;
  },
  pods(source: NonNullable<Metric["pods"]>, path: string): FieldError[] {
    const isMissing = source.target?.averageValue === undefined;
    const words = "must specify a positive target averageValue";
    return [
      ...validateIdentified(source, path),
      ...(isMissing ? [required(`${path}.target.averageValue`, words)] : []),
    ];
  },
  resource({ name, target }: NonNullable<Metric["resource"]>, path: string): FieldError[] {
    return [
      ...(name ? [] : [required(`${path}.name`, "must specify a resource name")]),
      ...validateUtilization(target, `${path}.target`),
    ];
  },
  containerResource(source: NonNullable<Metric["containerResource"]>, path: string): FieldError[] {
    const { name, container, target } = source;
    return [
      ...(name
        ? containerResourceNameFaults(`${path}.name`, name)
        : [required(`${path}.name`, "must specify a resource name")]),
      ...(container
        ? objections(`${path}.container`, container, isDNS1123Label(container))
        : [required(`${path}.container`, "must specify a container")]),
      ...validateUtilization(target, `${path}.target`),
    ];
  },
};

function validateMetric(metric: Metric, path: string): FieldError[] {
  const { type = "" } = metric;
  const faults = type === "" ? [required(`${path}.type`, "must specify a metric source type")] : [];
  if (!types.includes(type)) faults.push(notSupported(`${path}.type`, type, types));
  const given = (Object.keys(sources) as (keyof typeof sources)[]).filter((field) => metric[field]);
  const [first] = given;
  if (first) faults.push(...sources[first](metric[first] as never, `${path}.${first}`));
  const expected = type && `${type[0]!.toLowerCase()}${type.slice(1)}`;
  if (!types.includes(type)) faults.push(notSupported(`${path}.type`, type, types));
  else if (!given.some((field) => field === expected)) {
    faults.push(required(`${path}.${expected}`, "must populate information for the given metric source"));
  }
  if (given.length === 1) return faults;
  const words = "must populate the given metric source only";
  return [
    ...faults,
    ...given.filter((field) => field !== expected).map((field) => forbiddenField(`${path}.${field}`, words)),
  ];
}

/** All metrics of an autoscaler. */
export function validateMetrics(metrics: readonly Metric[] | undefined, path: string): FieldError[] {
  return (metrics ?? []).flatMap((metric, index) => validateMetric(metric, `${path}[${index}]`));
}
