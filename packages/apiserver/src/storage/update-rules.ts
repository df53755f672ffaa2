// The rules of an update that hold for every kind: which object it may change, what a subresource leaves alone, when
// the generation counts on, what is judged (apiserver pkg/registry/rest/update.go). Reads and writes no store.

import { semanticDeepEqual } from "@picokube/api/deep-equal";
import { conflict, type FieldError, invalid } from "@picokube/api/errors";
import type { KubernetesObject } from "@picokube/api/meta/v1";
import { invalidValue } from "@picokube/api/validation/field-error";
import { GoValue } from "@picokube/api/validation/go-syntax";
import { metadataKeptByStatus } from "../apply/reset-fields.js";
import type { RequestContext } from "../registry/resource-definition.js";
import { validateManagedFields } from "../validation/managed-fields.js";
import { validateMetadataUpdate } from "../validation/metadata.js";
import { cloneJson } from "./clone-json.js";
import { unmetPrecondition } from "./deletion.js";
import { sameJson } from "./same-json.js";
import type { ServedResource } from "./served-resource.js";

interface Update<T> {
  readonly object: T;
  readonly old: T;
  readonly subresource: string;
  readonly context: RequestContext;
}

/** Throws 409 when the object names another uid or resourceVersion than the old one has. */
export function checkIdentity<T extends KubernetesObject>(object: T, old: T, served: ServedResource<T>): void {
  const { resource, definition } = served;
  const { uid, resourceVersion } = object.metadata;
  const unmet = unmetPrecondition(old, uid ? { uid } : undefined, resource);
  if (unmet) throw unmet;
  if (!resourceVersion || resourceVersion === "0") {
    if (definition.allowUnconditionalUpdate === false) {
      const fault = invalidValue("metadata.resourceVersion", new GoValue("0x0"), "must be specified for an update");
      throw invalid(resource, old.metadata.name, [fault]);
    }
  } else if (resourceVersion !== old.metadata.resourceVersion) throw conflict(resource, old.metadata.name);
}

/** The old object with what the subresource changes of it; the object itself when that is no subresource. */
export function mergeSubresource<T extends KubernetesObject>(update: Update<T>, served: ServedResource<T>): T {
  const { object, old, subresource, context } = update;
  if (subresource === "" || subresource === "scale") return object;
  const own = served.definition.update?.[subresource];
  const merged = own ? own(object, old, context) : mergeStatus(object, old, served);
  const { managedFields } = object.metadata;
  merged.metadata = { ...merged.metadata };
  if (managedFields) merged.metadata.managedFields = managedFields;
  else delete merged.metadata.managedFields;
  return merged;
}

/** Status and metadata are new, but for the metadata that the kind's status leaves alone; the rest stays. */
function mergeStatus<T extends KubernetesObject>(object: T, old: T, { resource, definition }: ServedResource<T>): T {
  const merged = cloneJson(old) as T & { status?: unknown };
  const { status } = object as { status?: unknown };
  if (status === undefined) delete merged.status;
  else merged.status = status;
  if (definition.custom) return merged;
  const metadata: Record<string, unknown> = { ...object.metadata };
  for (const field of metadataKeptByStatus(resource)) {
    const kept = merged.metadata[field as keyof KubernetesObject["metadata"]];
    if (kept === undefined) delete metadata[field];
    else metadata[field] = kept;
  }
  merged.metadata = metadata as unknown as KubernetesObject["metadata"];
  return merged;
}

/** Counts the generation on when something other than metadata and status is new, of some kinds when annotations are. In place. */
export function bumpGeneration<T extends KubernetesObject>(object: T, old: T, { definition }: ServedResource<T>): void {
  const { hasGeneration, hasStatus, annotationsMakeGeneration, custom } = definition;
  if (!hasGeneration) return;
  // Without /status, custom resources count their status among what is desired; emptiness is a value of theirs.
  const isSame = custom ? sameJson : semanticDeepEqual;
  const keepsStatus = custom !== undefined && !hasStatus;
  const isAnnotated = annotationsMakeGeneration && !isSame(object.metadata.annotations, old.metadata.annotations);
  if (!isAnnotated && isSame(desired(object, { keepsStatus }), desired(old, { keepsStatus }))) return;
  object.metadata.generation = (old.metadata.generation ?? 0) + 1;
}

/** Everything but metadata and status: a change of it is a new generation. */
function desired(object: KubernetesObject, { keepsStatus }: { keepsStatus: boolean }): object {
  const { metadata: _metadata, status, ...rest } = object as KubernetesObject & { status?: unknown };
  return keepsStatus ? { ...rest, status } : rest;
}

/** What is wrong with the updated object. */
export function faultsOfUpdate<T extends KubernetesObject>(
  { object, old, subresource, context }: Update<T>,
  { definition }: ServedResource<T>,
): FieldError[] {
  const specific = subresource === "status" ? definition.validateStatusUpdate : definition.validateUpdate;
  // Subresources with a merge of their own touch what validateUpdate guards; they validate in that merge.
  const own = subresource !== "" && subresource !== "status" && subresource !== "scale";
  return [
    ...validateMetadataUpdate(object, old),
    ...validateManagedFields(object),
    ...(own ? [] : (specific?.(object, old, context) ?? [])),
  ];
}
