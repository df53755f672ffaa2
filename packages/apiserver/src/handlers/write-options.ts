// The options of a write that stand in its URL: dryRun, fieldManager, fieldValidation, force (apimachinery
// apis/meta/v1/validation: ValidateCreateOptions, ValidatePatchOptions). Reads no body.

import { type FieldError, invalid } from "@picokube/api/errors";
import { forbiddenField, notSupported, required } from "@picokube/api/validation/field-error";
import type { DecodeOptions, FieldValidation } from "../decode/decode-object.js";
import type { RequestContext } from "../registry/resource-definition.js";
import type { ServedResource } from "../storage/served-resource.js";
import { managerFaults } from "../validation/field-manager.js";
import { contextOf, dryRunFaults, type HandlerDependencies } from "./dependencies.js";
import type { Exchange } from "./exchange.js";
import { managerOf } from "./field-manager-option.js";

const FIELD_VALIDATIONS = ["", "Ignore", "Strict", "Warn"];

export interface WriteOptions {
  /** Of the write: whether it is a dry run, and in whose name its fields are tracked. */
  readonly context: RequestContext;
  readonly fieldValidation: FieldValidation;
  readonly manager: string;
  /** An apply takes over the fields of others. */
  readonly force: boolean;
}

/** Reads the options; throws 422 with all that is wrong with them. */
export function writeOptionsOf(
  exchange: Exchange,
  dependencies: HandlerDependencies,
  { kind, isApply = false }: { kind: "CreateOptions" | "UpdateOptions" | "PatchOptions"; isApply?: boolean },
): WriteOptions {
  const { query } = exchange.info;
  const manager = query.get("fieldManager") ?? "";
  const dryRun = query.getAll("dryRun");
  const fieldValidation = query.get("fieldValidation") ?? "";
  const faults: FieldError[] = [];
  if (isApply && manager === "") faults.push(required("fieldManager", "is required for apply patch"));
  if (kind === "PatchOptions" && !isApply && query.has("force")) {
    faults.push(forbiddenField("force", "may not be specified for non-apply patch"));
  }
  faults.push(...managerFaults(manager), ...dryRunFaults(dryRun));
  if (!FIELD_VALIDATIONS.includes(fieldValidation)) {
    faults.push(notSupported("fieldValidation", fieldValidation, FIELD_VALIDATIONS));
  }
  if (faults.length > 0) throw invalid({ group: "meta.k8s.io", kind }, "", faults);
  const context = contextOf(exchange, dependencies, dryRun.includes("All"));
  const named = managerOf(exchange, manager);
  return {
    // What an apply changes is tracked by the apply itself.
    context: isApply ? context : { ...context, fieldManager: named },
    fieldValidation: (fieldValidation || "Warn") as FieldValidation,
    manager: named,
    force: query.has("force") && !/^(false|0)$/i.test(query.get("force")!),
  };
}

/** How the body of a write is decoded into the kind of the resource. */
export function decodingOf(
  exchange: Exchange,
  { served, options: { fieldValidation } }: { served: ServedResource; options: WriteOptions },
): DecodeOptions {
  return {
    contentType: exchange.request.headers["content-type"],
    kind: served.resource,
    custom: served.definition.custom,
    fieldValidation,
    warn: (message) => exchange.warn(message),
  };
}
