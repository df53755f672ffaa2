// Reads what a patch has made of an object, in upstream's words when it is none (apiserver pkg/endpoints/handlers/patch.go:
// applyPatchToCurrentObject, applyPatchToObject). What the patch itself says twice counts with what it left unknown.

import { invalid, StatusError } from "@picokube/api/errors";
import type { KubernetesObject } from "@picokube/api/meta/v1";
import { invalidValue } from "@picokube/api/validation/field-error";
import { type DecodeOptions, decodeValue } from "../decode/decode-object.js";
import type { Patch } from "./apply-patch.js";

/** The object that the document is after the patch; throws 422 for one that is wrong, or unknown in part under Strict. */
export function patchedObject<T extends KubernetesObject>(
  document: { [field: string]: unknown },
  patch: Patch,
  { fieldValidation, warn, ...options }: Omit<DecodeOptions, "contentType">,
): T {
  const patched = patch.apply(document);
  const faults = fieldValidation === "Ignore" ? [] : [...patch.faults];
  const refuse = (why: string, cause?: unknown) => {
    const error = invalid({ group: "", kind: "" }, "", [invalidValue("patch", patch.shown(patched), why)]);
    return cause === undefined ? error : new StatusError(error, { cause });
  };
  let object: T;
  try {
    const isLax = fieldValidation === "Ignore";
    object = decodeValue<T>(patched, {
      ...options,
      fieldValidation: isLax ? "Ignore" : "Warn",
      warn: (fault) => faults.push(fault),
    });
  } catch (error) {
    if (error instanceof StatusError && error.code === 400) throw refuse(patch.why(error), error);
    throw error;
  }
  if (faults.length > 0 && fieldValidation === "Strict") throw refuse(`strict decoding error: ${faults.join(", ")}`);
  if (fieldValidation === "Warn") for (const fault of faults) warn(fault);
  return object;
}
