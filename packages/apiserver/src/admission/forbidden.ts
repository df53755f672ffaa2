// A plugin's refusal in upstream's words (apiserver admission/errors.go). Decides nothing.

import { forbidden, type StatusError } from "@picokube/api/errors";
import type { AdmissionAttributes } from "./admission.js";

/** The object's name, or what its name will begin with. */
export function attributesName({ name, object }: AdmissionAttributes): string {
  return name || object?.metadata?.name || object?.metadata?.generateName || "Unknown";
}

/** 403: `pods "web" is forbidden: why`. */
export function admissionForbidden(attributes: AdmissionAttributes, why: string): StatusError {
  return forbidden(attributes.resource, attributesName(attributes), why);
}

/** Whether the request is for this resource of this group, and for the object itself or one of the subresources. */
export function concerns(
  { resource, subresource }: AdmissionAttributes,
  wanted: { group: string; resource: string },
  subresources: readonly string[] = [""],
): boolean {
  return resource.group === wanted.group && resource.resource === wanted.resource && subresources.includes(subresource);
}

/** Several reasons as one (upstream: the aggregate error): each once, in brackets unless it is the only one. */
export function aggregateWords(reasons: readonly string[]): string {
  const unique = [...new Set(reasons)];
  return unique.length === 1 ? unique[0]! : `[${unique.join(", ")}]`;
}
