// What a valid ServiceCIDR is, in upstream's words (upstream: ValidateServiceCIDR). Pure.

import type { ServiceCIDR } from "@picokube/api/networking/v1";
import { isCanonicalCIDR } from "@picokube/api/validation/canonical-ip";
import { type FieldError, invalidValue, required } from "@picokube/api/validation/field-error";
import { parseCIDR } from "@picokube/api/validation/ip";
import { objections } from "../check.js";

const path = "spec.cidrs";
const immutableWords = "field is immutable";

/** A ServiceCIDR as it is created: one range, or one of each family. */
export function validateServiceCidr({ spec }: ServiceCIDR): FieldError[] {
  const cidrs = spec?.cidrs ?? [];
  if (cidrs.length === 0) return [required(path, "at least one CIDR required")];
  if (cidrs.length > 2) return [invalidValue(path, spec, "may only hold up to 2 values")];
  const faults = cidrs.flatMap((cidr, index) => objections(`${path}[${index}]`, cidr, isCanonicalCIDR(cidr)));
  const [first, second] = cidrs.map((cidr) => parseCIDR(cidr)?.family);
  if (cidrs.length === 2 && first !== undefined && first === second) {
    const words = "may specify no more than one IP for each IP family, i.e 192.168.0.0/24 and 2001:db8::/64";
    faults.push(invalidValue(path, cidrs, words));
  }
  return faults;
}

/** A change of a ServiceCIDR: a second range may be added, none may change. */
export function validateServiceCidrUpdate(range: ServiceCIDR, old: ServiceCIDR): FieldError[] {
  const cidrs = range.spec?.cidrs ?? [];
  const before = old.spec?.cidrs ?? [];
  const isExtended = before.length === 1 && cidrs.length === 2;
  if (cidrs.length !== before.length && !isExtended) return [invalidValue(path, cidrs, immutableWords)];
  const faults = before.flatMap((cidr, index) =>
    cidr === cidrs[index] ? [] : [invalidValue(`${path}[${index}]`, cidrs[index], immutableWords)],
  );
  return isExtended ? [...faults, ...validateServiceCidr(range)] : faults;
}
