// Validation of metadata.managedFields, which a client may have sent (apimachinery apis/meta/v1/validation:
// ValidateManagedFields). What cannot be read as such was passed over before.

import type { FieldError } from "@picokube/api/errors";
import type { KubernetesObject } from "@picokube/api/meta/v1";
import { tooLong } from "@picokube/api/validation/field-error";
import { entriesOf } from "../apply/managed-fields.js";
import { managerFaults } from "./field-manager.js";

const MAX_SUBRESOURCE_LENGTH = 256;

/** Faults of the entries: names that are none. */
export function validateManagedFields(object: KubernetesObject): FieldError[] {
  return entriesOf(object).flatMap(({ manager = "", subresource = "" }, index) => {
    const path = `metadata.managedFields[${index}]`;
    const isLong = Buffer.byteLength(subresource) > MAX_SUBRESOURCE_LENGTH;
    return [
      ...managerFaults(manager, `${path}.manager`),
      ...(isLong ? [tooLong(`${path}.subresource`, MAX_SUBRESOURCE_LENGTH)] : []),
    ];
  });
}
