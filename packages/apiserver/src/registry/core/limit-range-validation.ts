// What valid LimitRanges are, in upstream's words (upstream: ValidateLimitRange). Pure.

import type { LimitRange } from "@picokube/api/core/v1";
import type { Quantity } from "@picokube/api/quantity";
import {
  duplicate,
  type FieldError,
  forbiddenField,
  invalidValue,
  required,
} from "@picokube/api/validation/field-error";
import { goQuantity } from "@picokube/api/validation/go-syntax";
import { isQualifiedName } from "@picokube/api/validation/names";
import { objections } from "../check.js";
import { isOvercommitAllowed } from "./resource-names.js";
import {
  containerResourceNameFaults,
  nonnegativeQuantity,
  quantityOrUndefined,
  resourceNameFaults,
} from "./resource-validation.js";

type Item = NonNullable<LimitRange["spec"]>["limits"][number];
type Bound = "max" | "min" | "default" | "defaultRequest" | "maxLimitRequestRatio";

const types = ["Pod", "Container", "PersistentVolumeClaim"];

function validateType(type: string, field: string): FieldError[] {
  const faults = objections(field, type, isQualifiedName(type));
  if (faults.length > 0 || type.includes("/") || types.includes(type)) return faults;
  return [invalidValue(field, type, "must be a standard limit type or fully qualified")];
}

/** The names of what a list bounds; only a claim's range may speak of storage. */
function validateNames(item: Item, bound: Bound, at: string): FieldError[] {
  const check = item.type === "Pod" || item.type === "Container" ? containerResourceNameFaults : resourceNameFaults;
  return Object.entries(item[bound] ?? {}).flatMap(([name, value]) => {
    const field = `${at}.${bound}[${name}]`;
    // Upstream's decoder has refused already what is no quantity.
    return [...check(field, name), ...(quantityOrUndefined(value) ? [] : nonnegativeQuantity(field, value))];
  });
}

interface Order {
  readonly low: readonly [Bound, string];
  readonly high: readonly [Bound, string];
  /** Which of the two is told of. */
  readonly told: Bound;
  readonly shown: "low" | "high";
}

/** Which bound may not exceed which, as upstream tells of each. */
const orders: readonly Order[] = [
  { low: ["min", "min value"], high: ["max", "max value"], told: "min", shown: "low" },
  {
    low: ["min", "min value"],
    high: ["defaultRequest", "default request value"],
    told: "defaultRequest",
    shown: "high",
  },
  {
    low: ["defaultRequest", "default request value"],
    high: ["max", "max value"],
    told: "defaultRequest",
    shown: "low",
  },
  {
    low: ["defaultRequest", "default request value"],
    high: ["default", "default limit value"],
    told: "defaultRequest",
    shown: "low",
  },
  { low: ["min", "min value"], high: ["default", "default value"], told: "default", shown: "low" },
  { low: ["default", "default value"], high: ["max", "max value"], told: "default", shown: "high" },
];

function validateRatio(name: string, bounds: ReadonlyMap<Bound, Quantity>, at: string): FieldError[] {
  const ratio = bounds.get("maxLimitRequestRatio");
  if (!ratio) return [];
  const field = `${at}.maxLimitRequestRatio[${name}]`;
  const faults: FieldError[] = [];
  if (ratio.asNumber() < 1) faults.push(invalidValue(field, goQuantity(ratio), `ratio ${ratio} is less than 1`));
  const [min, max] = [bounds.get("min"), bounds.get("max")];
  if (!min || !max) return faults;
  const limit = max.asNumber() / min.asNumber();
  if (ratio.asNumber() <= limit) return faults;
  const words = `ratio ${ratio} is greater than max/min = ${limit.toFixed(6)}`;
  return [...faults, invalidValue(field, goQuantity(ratio), words)];
}

function validateBounds(name: string, item: Item, at: string): FieldError[] {
  const lists: readonly Bound[] = ["max", "min", "default", "defaultRequest", "maxLimitRequestRatio"];
  const bounds = new Map<Bound, Quantity>();
  for (const bound of lists) {
    const quantity = quantityOrUndefined(item[bound]?.[name]);
    if (quantity) bounds.set(bound, quantity);
  }
  const faults: FieldError[] = [];
  for (const { low, high, told, shown } of orders) {
    const lower = bounds.get(low[0]);
    const upper = bounds.get(high[0]);
    if (!lower || !upper || lower.compare(upper) <= 0) continue;
    const words = `${low[1]} ${lower} is greater than ${high[1]} ${upper}`;
    faults.push(invalidValue(`${at}.${told}[${name}]`, goQuantity(shown === "low" ? lower : upper), words));
  }
  faults.push(...validateRatio(name, bounds, at));
  const [limit, request] = [bounds.get("default"), bounds.get("defaultRequest")];
  if (limit && request && !isOvercommitAllowed(name) && !limit.equals(request)) {
    const words = `default value ${limit} must equal to defaultRequest value ${request} in ${name}`;
    faults.push(invalidValue(`${at}.defaultRequest[${name}]`, goQuantity(request), words));
  }
  return faults;
}

function validateItem(item: Item, at: string): FieldError[] {
  const faults = [...validateNames(item, "max", at), ...validateNames(item, "min", at)];
  if (item.type === "Pod") {
    const words = "may not be specified when `type` is 'Pod'";
    for (const bound of ["default", "defaultRequest"] as const) {
      if (Object.keys(item[bound] ?? {}).length > 0) faults.push(forbiddenField(`${at}.${bound}`, words));
    }
  } else faults.push(...validateNames(item, "default", at), ...validateNames(item, "defaultRequest", at));
  if (item.type === "PersistentVolumeClaim" && item.min?.storage === undefined && item.max?.storage === undefined) {
    const words = "either minimum or maximum storage value is required, but neither was provided";
    faults.push(required(`${at}.limits`, words));
  }
  faults.push(...validateNames(item, "maxLimitRequestRatio", at));
  const counted = item.type === "Pod" ? { ...item, default: {}, defaultRequest: {} } : item;
  const lists = [counted.max, counted.min, counted.default, counted.defaultRequest, counted.maxLimitRequestRatio];
  const names = new Set(lists.flatMap((list) => Object.keys(list ?? {})));
  return [...faults, ...[...names].flatMap((name) => validateBounds(name, counted, at))];
}

/** A LimitRange as it is created and changed: minimum ≤ default request ≤ default ≤ maximum. */
export function validateLimitRange({ spec }: LimitRange): FieldError[] {
  const seen = new Set<string>();
  return (spec?.limits ?? []).flatMap((item, index) => {
    const at = `spec.limits[${index}]`;
    const { type = "" } = item;
    const faults = validateType(type, `${at}.type`);
    if (seen.has(type)) faults.push(duplicate(`${at}.type`, type));
    seen.add(type);
    return [...faults, ...validateItem(item, at)];
  });
}
