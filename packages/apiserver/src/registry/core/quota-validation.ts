// What valid ResourceQuotas and LimitRanges are, in upstream's words (upstream: ValidateResourceQuota,
// ValidateLimitRange). Pure.

import type { LimitRange, ResourceQuota } from "@picokube/api/core/v1";
import { duplicate, type FieldError, forbiddenField, invalidValue } from "@picokube/api/validation/field-error";
import { immutable } from "../immutable.js";
import { nonnegativeQuantity, quantityOrUndefined, resourceNameFaults } from "./resource-validation.js";

/** A ResourceQuota as it is created. */
export function validateResourceQuota({ spec }: ResourceQuota): FieldError[] {
  return Object.entries(spec?.hard ?? {}).flatMap(([name, value]) => {
    const field = `spec.hard[${name}]`;
    return [
      ...(name.startsWith("count/") ? [] : resourceNameFaults(field, name)),
      ...nonnegativeQuantity(field, value),
    ];
  });
}

/** A change of a ResourceQuota: its scopes stay. */
export function validateResourceQuotaUpdate(quota: ResourceQuota, old: ResourceQuota): FieldError[] {
  return [...validateResourceQuota(quota), ...immutable("spec.scopes", quota.spec?.scopes, old.spec?.scopes)];
}

/** A LimitRange as it is created and changed: minimum ≤ default request ≤ default ≤ maximum. */
export function validateLimitRange({ spec }: LimitRange): FieldError[] {
  const types = new Set<string>();
  return (spec?.limits ?? []).flatMap((item, index) => {
    const at = `spec.limits[${index}]`;
    const faults: FieldError[] = [];
    if (types.has(item.type)) faults.push(duplicate(`${at}.type`, item.type));
    types.add(item.type);
    if (item.type === "Pod") {
      const words = "may not be specified when `type` is 'Pod'";
      if (Object.keys(item.default ?? {}).length > 0) faults.push(forbiddenField(`${at}.default`, words));
      if (Object.keys(item.defaultRequest ?? {}).length > 0) faults.push(forbiddenField(`${at}.defaultRequest`, words));
    }
    const fields = ["min", "defaultRequest", "default", "max"] as const;
    const names = new Set(fields.flatMap((field) => Object.keys(item[field] ?? {})));
    const titles = {
      min: "min value",
      defaultRequest: "default request value",
      default: "default value",
      max: "max value",
    };
    for (const name of names) {
      for (const [lowIndex, low] of fields.entries()) {
        const lower = quantityOrUndefined(item[low]?.[name]);
        for (const high of lower ? fields.slice(lowIndex + 1) : []) {
          const upper = quantityOrUndefined(item[high]?.[name]);
          if (!upper || lower!.compare(upper) <= 0) continue;
          const words = `${titles[low]} ${lower} is greater than ${titles[high]} ${upper}`;
          faults.push(invalidValue(`${at}.${low}[${name}]`, lower!.toString(), words));
        }
      }
    }
    return faults;
  });
}
