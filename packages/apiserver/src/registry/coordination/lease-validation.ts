// What a valid Lease is, in upstream's words (upstream: ValidateLeaseSpec). Pure.

import type { Lease } from "@picokube/api/coordination/v1";
import { type FieldError, forbiddenField, invalidValue, notSupported } from "@picokube/api/validation/field-error";
import { isQualifiedName } from "@picokube/api/validation/names";
import { objections } from "../check.js";

const strategies = ["OldestEmulationVersion"];

/** A Lease as it is created and changed. */
export function validateLease({ spec }: Lease): FieldError[] {
  const faults: FieldError[] = [];
  const { leaseDurationSeconds: seconds, leaseTransitions: transitions, strategy, preferredHolder } = spec ?? {};
  if (seconds !== undefined && seconds <= 0) {
    faults.push(invalidValue("spec.leaseDurationSeconds", seconds, "must be greater than 0"));
  }
  if (transitions !== undefined && transitions < 0) {
    faults.push(invalidValue("spec.leaseTransitions", transitions, "must be greater than or equal to 0"));
  }
  if (strategy?.includes("/")) faults.push(...objections("spec.strategy", strategy, isQualifiedName(strategy)));
  // Upstream names the field twice.
  else if (strategy !== undefined && !strategies.includes(strategy)) {
    faults.push(notSupported("spec.strategy.strategy", strategy, strategies));
  }
  if (preferredHolder && !strategy) {
    faults.push(forbiddenField("spec.preferredHolder", "may only be specified if `strategy` is defined"));
  }
  return faults;
}
