// Requests, limits and other lists of quantities, in upstream's words (upstream: validateResourceRequirements,
// ValidateResourceQuantityValue). Which resources there are stands in resource-names.ts. Pure.

import type { ResourceRequirements } from "@picokube/api/core/v1";
import { parseQuantity, type Quantity } from "@picokube/api/quantity";
import { type FieldError, forbiddenField, invalidValue, required } from "@picokube/api/validation/field-error";
import { goQuantity } from "@picokube/api/validation/go-syntax";
import { isQualifiedName } from "@picokube/api/validation/names";
import { objections } from "../check.js";
import {
  isContainerResource,
  isExtendedResource,
  isHugePages,
  isIntegerResource,
  isNativeResource,
  isOvercommitAllowed,
  isQuotaResource,
  isStandardResource,
} from "./resource-names.js";

/** The quantity, or undefined when the text is none. */
export function quantityOrUndefined(value: string | number | undefined): Quantity | undefined {
  try {
    return value === undefined ? undefined : parseQuantity(value);
  } catch {
    return undefined;
  }
}

/** A quantity of at least nothing; a fault too when the text is none. */
export function nonnegativeQuantity(field: string, value: string | number | undefined): FieldError[] {
  const quantity = quantityOrUndefined(value);
  if (!quantity) {
    const words = "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'";
    return [invalidValue(field, value, words)];
  }
  return quantity.sign < 0 ? [invalidValue(field, quantity.toString(), "must be greater than or equal to 0")] : [];
}

/** An amount of a resource: not negative, and whole where parts make no sense (upstream: ValidateResourceQuantityValue). */
export function resourceQuantity(field: string, name: string, value: string | number | undefined): FieldError[] {
  const faults = nonnegativeQuantity(field, value);
  const quantity = quantityOrUndefined(value);
  if (!quantity || !isIntegerResource(name) || quantity.milliValue() % 1000 === 0) return faults;
  return [...faults, invalidValue(field, goQuantity(quantity), "must be an integer")];
}

/** A quantity of more than nothing (upstream: ValidatePositiveQuantityValue). */
export function positiveQuantity(field: string, value: string | number | undefined): FieldError[] {
  const quantity = quantityOrUndefined(value);
  if (!quantity) return nonnegativeQuantity(field, value);
  return quantity.sign > 0 ? [] : [invalidValue(field, quantity.toString(), "must be greater than zero")];
}

/** A resource's name anywhere: standard, or with a prefix (upstream: validateResourceName). */
export function resourceNameFaults(field: string, name: string): FieldError[] {
  const faults = objections(field, name, isQualifiedName(name));
  if (faults.length > 0) return faults;
  const isKnown = name.includes("/") || isStandardResource(name);
  return isKnown ? [] : [invalidValue(field, name, "must be a standard resource type or fully qualified")];
}

/** The name of a resource that containers ask for (upstream: validateContainerResourceName). */
export function containerResourceNameFaults(field: string, name: string): FieldError[] {
  const faults = resourceNameFaults(field, name);
  if (!name.includes("/")) {
    const words = "must be a standard resource for containers";
    return isContainerResource(name) ? faults : [...faults, invalidValue(field, name, words)];
  }
  if (isNativeResource(name) || isExtendedResource(name)) return faults;
  return [...faults, invalidValue(field, name, "doesn't follow extended resource name standard")];
}

/** The name of what a quota limits (upstream: ValidateResourceQuotaResourceName). */
export function quotaResourceNameFaults(field: string, name: string): FieldError[] {
  const faults = resourceNameFaults(field, name);
  if (name.includes("/") || isQuotaResource(name)) return faults;
  return [...faults, invalidValue(field, name, "must be a standard resource for quota")];
}

function hugePages(field: string, name: string, quantity: Quantity | undefined): FieldError[] {
  const size = isHugePages(name) ? quantityOrUndefined(name.slice("hugepages-".length)) : undefined;
  if (!size || !quantity || (size.sign > 0 && quantity.value() % size.value() === 0)) return [];
  return [invalidValue(field, quantity.toString(), `${quantity} is not positive integer multiple of ${name}`)];
}

/** A container's requests and limits. */
export function validateResourceRequirements(resources: ResourceRequirements | undefined, path: string): FieldError[] {
  const faults: FieldError[] = [];
  const limits = resources?.limits ?? {};
  const requests = resources?.requests ?? {};
  for (const [name, value] of Object.entries(limits)) {
    const field = `${path}.limits[${name}]`;
    faults.push(...containerResourceNameFaults(field, name), ...resourceQuantity(field, name, value));
    faults.push(...hugePages(field, name, quantityOrUndefined(value)));
  }
  for (const [name, value] of Object.entries(requests)) {
    const field = `${path}.requests[${name}]`;
    faults.push(...containerResourceNameFaults(field, name), ...resourceQuantity(field, name, value));
    const request = quantityOrUndefined(value);
    const limit = quantityOrUndefined(limits[name]);
    if (request && limit) {
      const words = `limit of ${limit.toString()}`;
      const isWrong = isOvercommitAllowed(name) ? request.compare(limit) > 0 : !request.equals(limit);
      const relation = isOvercommitAllowed(name) ? "less than or equal" : "equal";
      if (isWrong) {
        faults.push(invalidValue(`${path}.requests`, request.toString(), `must be ${relation} to ${name} ${words}`));
      }
    } else if (request && limits[name] === undefined && !isOvercommitAllowed(name)) {
      faults.push(required(`${path}.limits`, "Limit must be set for non overcommitable resources"));
    }
    faults.push(...hugePages(field, name, request));
  }
  const names = [...Object.keys(limits), ...Object.keys(requests)];
  if (names.some(isHugePages) && !names.includes("cpu") && !names.includes("memory")) {
    faults.push(forbiddenField(path, "HugePages require cpu or memory"));
  }
  return faults;
}
