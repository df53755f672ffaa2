// What a valid IPAddress is, in upstream's words (upstream: ValidateIPAddress). Pure.

import type { IPAddress } from "@picokube/api/networking/v1";
import { isCanonicalIP } from "@picokube/api/validation/canonical-ip";
import { type FieldError, required } from "@picokube/api/validation/field-error";
import { isDNS1123Subdomain, isPathSegmentName } from "@picokube/api/validation/names";
import { objections, requiredPathSegment } from "../check.js";
import { immutable } from "../immutable.js";

/** An IPAddress as it is created: named after the address, owned by some object. */
export function validateIpAddress({ metadata, spec }: IPAddress): FieldError[] {
  const faults = objections("metadata.name", metadata.name, isCanonicalIP(metadata.name));
  const path = "spec.parentRef";
  if (!spec?.parentRef) return [...faults, required(path)];
  const { group, resource, name, namespace } = spec.parentRef;
  return [
    ...faults,
    ...(group ? objections(`${path}.group`, group, isDNS1123Subdomain(group)) : []),
    ...requiredPathSegment(`${path}.resource`, resource),
    ...requiredPathSegment(`${path}.name`, name),
    ...(namespace ? objections(`${path}.namespace`, namespace, isPathSegmentName(namespace)) : []),
  ];
}

/** A change of an IPAddress: its parent stays. */
export function validateIpAddressUpdate(address: IPAddress, old: IPAddress): FieldError[] {
  return immutable("spec.parentRef", address.spec?.parentRef, old.spec?.parentRef);
}
