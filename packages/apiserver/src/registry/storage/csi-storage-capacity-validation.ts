// What a valid CSIStorageCapacity is, in upstream's words (upstream: ValidateCSIStorageCapacity). Pure.

import type { CSIStorageCapacity } from "@picokube/api/storage/v1";
import type { FieldError } from "@picokube/api/validation/field-error";
import { isDNS1123Subdomain } from "@picokube/api/validation/names";
import { objections } from "../check.js";
import { nonnegativeQuantity } from "../core/resource-validation.js";
import { immutable } from "../immutable.js";
import { validateLabelSelector } from "../label-validation.js";

/** A CSIStorageCapacity as it is created. */
export function validateCsiStorageCapacity(object: CSIStorageCapacity): FieldError[] {
  const { nodeTopology, storageClassName = "", capacity } = object;
  return [
    ...validateLabelSelector(nodeTopology, "nodeTopology"),
    ...objections("storageClassName", storageClassName, isDNS1123Subdomain(storageClassName)),
    ...(capacity === undefined ? [] : nonnegativeQuantity("capacity", capacity)),
  ];
}

/** A change of a CSIStorageCapacity: of where and what it speaks stays. */
export function validateCsiStorageCapacityUpdate(object: CSIStorageCapacity, old: CSIStorageCapacity): FieldError[] {
  return [
    ...immutable("nodeTopology", object.nodeTopology, old.nodeTopology),
    ...immutable("storageClassName", object.storageClassName, old.storageClassName),
  ];
}
