// The metadata of an object inside another one, such as a claim's template: labels and annotations and nothing else
// (upstream: ValidateTemplateObjectMeta). Pure.

import type { ObjectMeta } from "@picokube/api/meta/v1";
import { type FieldError, forbiddenField } from "@picokube/api/validation/field-error";
import { validateAnnotations, validateLabels } from "../label-validation.js";

/** Labels and annotations are valid, and nothing else is given. */
export function validateTemplateMetadata(metadata: Partial<ObjectMeta> | undefined, path: string): FieldError[] {
  const others = Object.entries(metadata ?? {}).filter(
    ([field, value]) => field !== "labels" && field !== "annotations" && value !== undefined && value !== "",
  );
  return [
    ...validateAnnotations(metadata?.annotations, `${path}.annotations`),
    ...validateLabels(metadata?.labels, `${path}.labels`),
    ...others.map(([field]) => forbiddenField(`${path}.${field}`, "cannot be set")),
  ];
}
