// Requests, limits and other lists of quantities, in upstream's words (upstream: ValidateResourceRequirements). Pure.

import type { ResourceRequirements } from "@picokube/api/core/v1";
import { parseQuantity, type Quantity } from "@picokube/api/quantity";
import { type FieldError, invalidValue, required } from "@picokube/api/validation/field-error";
import { isQualifiedName } from "@picokube/api/validation/names";
import { objections } from "../check.js";

const containerResources = new Set(["cpu", "memory", "ephemeral-storage"]);
const otherStandardResources = new Set([
  "requests.cpu",
  "requests.memory",
  "requests.ephemeral-storage",
  "limits.cpu",
  "limits.memory",
  "limits.ephemeral-storage",
  "pods",
  "resourcequotas",
  "services",
  "replicationcontrollers",
  "secrets",
  "persistentvolumeclaims",
  "configmaps",
  "services.nodeports",
  "services.loadbalancers",
  "requests.storage",
  "storage",
]);

const isHugePages = (name: string) => name.startsWith("hugepages-");
const isStandard = (name: string) =>
  containerResources.has(name) || otherStandardResources.has(name) || isHugePages(name);
/** Not to be shared out more than once: hugepages and what is not Kubernetes' own. */
const isOvercommitAllowed = (name: string) =>
  (!name.includes("/") || name.split("/")[0]!.endsWith("kubernetes.io")) && !isHugePages(name);

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

/** A resource's name anywhere: standard, or with a prefix. */
export function resourceNameFaults(field: string, name: string): FieldError[] {
  const faults = objections(field, name, isQualifiedName(name));
  if (faults.length > 0) return faults;
  const isKnown = name.includes("/") || isStandard(name);
  return isKnown ? [] : [invalidValue(field, name, "must be a standard resource type or fully qualified")];
}

/** The name of a resource that containers ask for. */
export function containerResourceNameFaults(field: string, name: string): FieldError[] {
  const faults = resourceNameFaults(field, name);
  if (name.includes("/")) return faults;
  return containerResources.has(name) || isHugePages(name)
    ? faults
    : [...faults, invalidValue(field, name, "must be a standard resource for containers")];
}

/** A container's requests and limits. */
export function validateResourceRequirements(resources: ResourceRequirements | undefined, path: string): FieldError[] {
  const faults: FieldError[] = [];
  const limits = resources?.limits ?? {};
  for (const [name, value] of Object.entries(limits)) {
    const field = `${path}.limits[${name}]`;
    faults.push(...containerResourceNameFaults(field, name), ...nonnegativeQuantity(field, value));
  }
  for (const [name, value] of Object.entries(resources?.requests ?? {})) {
    const field = `${path}.requests[${name}]`;
    faults.push(...containerResourceNameFaults(field, name), ...nonnegativeQuantity(field, value));
    const request = quantityOrUndefined(value);
    const limit = quantityOrUndefined(limits[name]);
    if (!request) continue;
    if (limit) {
      const words = `limit of ${limit.toString()}`;
      if (!request.equals(limit) && !isOvercommitAllowed(name)) {
        faults.push(invalidValue(`${path}.requests`, request.toString(), `must be equal to ${name} ${words}`));
      } else if (request.compare(limit) > 0) {
        faults.push(
          invalidValue(`${path}.requests`, request.toString(), `must be less than or equal to ${name} ${words}`),
        );
      }
    } else if (!isOvercommitAllowed(name)) {
      faults.push(required(`${path}.limits`, "Limit must be set for non overcommitable resources"));
    }
  }
  return faults;
}
