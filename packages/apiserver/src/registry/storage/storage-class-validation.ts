// What a valid StorageClass is, in upstream's words (upstream: ValidateStorageClass). Pure.

import { semanticDeepEqual } from "@picokube/api/deep-equal";
import type { StorageClass } from "@picokube/api/storage/v1";
import {
  duplicate,
  type FieldError,
  forbiddenField,
  invalidValue,
  required,
  tooLong,
} from "@picokube/api/validation/field-error";
import { isQualifiedName } from "@picokube/api/validation/names";
import { objections, oneOf, oneOfIfSet } from "../check.js";
import { immutable } from "../immutable.js";

const maxParameters = 512;
const maxParametersBytes = 256 * 1024;

function validateParameters(parameters: StorageClass["parameters"]): FieldError[] {
  const entries = Object.entries(parameters ?? {});
  if (entries.length > maxParameters) return [tooLong("parameters", maxParameters)];
  const faults = entries.some(([key]) => key === "") ? [invalidValue("parameters", "", "field can not be empty.")] : [];
  const sizeBytes = entries.reduce((sum, [key, value]) => sum + Buffer.byteLength(key) + Buffer.byteLength(value), 0);
  return sizeBytes > maxParametersBytes ? [...faults, tooLong("parameters", maxParametersBytes)] : faults;
}

/** Where volumes may come to lie: each term other keys and values (upstream: ValidateTopologySelectorTerm). */
function validateTopologies(topologies: StorageClass["allowedTopologies"]): FieldError[] {
  const terms = new Set<string>();
  return (topologies ?? []).flatMap((term, index) => {
    const path = `allowedTopologies[${index}].matchLabelExpressions`;
    const keys = new Map<string, string[]>();
    const faults: FieldError[] = [];
    for (const [expressionIndex, { key = "", values = [] }] of (term.matchLabelExpressions ?? []).entries()) {
      const at = `${path}[${expressionIndex}]`;
      if (values.length === 0) faults.push(required(`${at}.values`));
      const seen = new Set<string>();
      for (const [valueIndex, value] of values.entries()) {
        if (seen.has(value)) faults.push(duplicate(`${at}.values[${valueIndex}]`, value));
        seen.add(value);
      }
      faults.push(...objections(`${at}.key`, key, isQualifiedName(key)));
      if (keys.has(key)) faults.push(duplicate(`${at}.key`, key));
      keys.set(key, [...seen].sort());
    }
    const identity = JSON.stringify([...keys].sort());
    if (terms.has(identity)) faults.push(duplicate(path, ""));
    terms.add(identity);
    return faults;
  });
}

/** A StorageClass as it is created. */
export function validateStorageClass(storageClass: StorageClass): FieldError[] {
  const { provisioner, parameters, reclaimPolicy, volumeBindingMode, allowedTopologies } = storageClass;
  return [
    ...(provisioner
      ? objections("provisioner", provisioner, isQualifiedName(provisioner.toLowerCase()))
      : [required("provisioner")]),
    ...validateParameters(parameters),
    ...oneOfIfSet("reclaimPolicy", reclaimPolicy || undefined, ["Delete", "Retain"]),
    ...oneOf("volumeBindingMode", volumeBindingMode, ["Immediate", "WaitForFirstConsumer"]),
    ...validateTopologies(allowedTopologies),
  ];
}

/** A change of a StorageClass: nearly nothing. */
export function validateStorageClassUpdate(storageClass: StorageClass, old: StorageClass): FieldError[] {
  const faults: FieldError[] = [];
  for (const field of ["parameters", "provisioner", "reclaimPolicy"] as const) {
    if (semanticDeepEqual(storageClass[field], old[field])) continue;
    faults.push(forbiddenField(field, `updates to ${field} are forbidden.`));
  }
  return [...faults, ...immutable("volumeBindingMode", storageClass.volumeBindingMode, old.volumeBindingMode)];
}
