// The name of a CSI driver wherever an object names one, in upstream's words (upstream: ValidateCSIDriverName). Pure.

import { type FieldError, required, tooLong } from "@picokube/api/validation/field-error";
import { isDNS1123Subdomain } from "@picokube/api/validation/names";
import { objections } from "../check.js";

const maxNameBytes = 63;

/** Given, short, and a subdomain but for its case. */
export function validateCsiDriverName(field: string, name = ""): FieldError[] {
  return [
    ...(name === "" ? [required(field)] : []),
    ...(Buffer.byteLength(name) > maxNameBytes ? [tooLong(field, maxNameBytes)] : []),
    ...objections(field, name, isDNS1123Subdomain(name.toLowerCase())),
  ];
}
