// What a delete does to an object: remove it, mark it and wait, or nothing because it is already going (apiserver
// pkg/registry/rest/delete.go and generic/registry/store.go). Pure; the writer carries it out.

import { badRequest, conflict, invalid, type StatusError } from "@picokube/api/errors";
import type { KubernetesObject } from "@picokube/api/meta/v1";
import type { GroupResource } from "@picokube/api/resource";
import { formatTime } from "@picokube/api/time";
import { notSupported } from "@picokube/api/validation/field-error";

export interface DeleteOptions {
  gracePeriodSeconds?: number;
  preconditions?: { uid?: string; resourceVersion?: string };
  propagationPolicy?: string;
  orphanDependents?: boolean;
  dryRun?: string[];
}

export type DeletionPlan =
  | { readonly action: "remove" }
  | { readonly action: "mark"; readonly object: KubernetesObject }
  | { readonly action: "wait" };

const POLICIES = ["Foreground", "Background", "Orphan"];

/** Throws upstream's error for options that contradict themselves. */
export function validateDeleteOptions(options: DeleteOptions): void {
  const { propagationPolicy, orphanDependents } = options;
  const kind = { group: "meta.k8s.io", kind: "DeleteOptions" };
  if (propagationPolicy !== undefined && orphanDependents !== undefined) {
    throw badRequest("orphanDependents and deletionPropagation cannot be both set");
  }
  if (propagationPolicy !== undefined && !POLICIES.includes(propagationPolicy)) {
    throw invalid(kind, "", [notSupported("propagationPolicy", propagationPolicy, [...POLICIES, "nil"])]);
  }
}

/** The conflict of unmet preconditions, if any. */
export function unmetPrecondition(
  { metadata }: KubernetesObject,
  preconditions: { uid?: string; resourceVersion?: string } | undefined,
  resource: GroupResource,
): StatusError | undefined {
  const { uid, resourceVersion } = preconditions ?? {};
  if (uid !== undefined && uid !== metadata.uid) {
    const why = `Precondition failed: UID in precondition: ${uid}, UID in object meta: ${metadata.uid}`;
    return conflict(resource, metadata.name, why);
  }
  if (resourceVersion !== undefined && resourceVersion !== metadata.resourceVersion) {
    const why = `Precondition failed: ResourceVersion in precondition: ${resourceVersion}, ResourceVersion in object meta: ${metadata.resourceVersion}`;
    return conflict(resource, metadata.name, why);
  }
  return undefined;
}

/** The finalizers that the propagation policy asks for, beside those the object has. */
function finalizersFor({ metadata }: KubernetesObject, options: DeleteOptions): string[] {
  const { propagationPolicy, orphanDependents } = options;
  const present = metadata.finalizers ?? [];
  const explicit = propagationPolicy !== undefined || orphanDependents !== undefined;
  const orphan = explicit ? propagationPolicy === "Orphan" || orphanDependents === true : present.includes("orphan");
  const foreground = explicit ? propagationPolicy === "Foreground" : present.includes("foregroundDeletion");
  const others = present.filter((finalizer) => finalizer !== "orphan" && finalizer !== "foregroundDeletion");
  return [...others, ...(orphan ? ["orphan"] : []), ...(foreground ? ["foregroundDeletion"] : [])];
}

/** Finalizers that keep the object: namespaces have a second list in their spec. */
export function hasFinalizers(object: KubernetesObject): boolean {
  if ((object.metadata.finalizers ?? []).length > 0) return true;
  if (object.kind !== "Namespace") return false;
  const { spec } = object as KubernetesObject & { spec?: { finalizers?: string[] } };
  return (spec?.finalizers ?? []).length > 0;
}

/** True when an update leaves an object that waits for nothing any more (upstream: ShouldDeleteDuringUpdate). */
export function isReadyToGo(object: KubernetesObject): boolean {
  const { deletionTimestamp, deletionGracePeriodSeconds = 0 } = object.metadata;
  return deletionTimestamp !== undefined && deletionGracePeriodSeconds === 0 && !hasFinalizers(object);
}

/** Decides; object is a private copy and may come back changed. */
export function planDeletion(
  object: KubernetesObject,
  {
    options,
    graceOf,
    nowMs,
  }: {
    options: DeleteOptions;
    /** Undefined for kinds that are not deleted gracefully. */
    graceOf: ((object: KubernetesObject, requested: number | undefined) => number) | undefined;
    nowMs: number;
  },
): DeletionPlan {
  const { metadata } = object;
  const requested = options.gracePeriodSeconds;
  let graceful = false;
  let graceSeconds = 0;
  if (metadata.deletionTimestamp) {
    const current = metadata.deletionGracePeriodSeconds;
    if (current !== undefined && graceOf) {
      if (requested === undefined || requested >= current) {
        if (current > 0 || hasFinalizers(object)) return { action: "wait" };
      } else {
        const startedMs = Date.parse(metadata.deletionTimestamp) - current * 1000;
        graceSeconds = Math.max(requested, 0);
        graceful = true;
        metadata.deletionTimestamp = formatTime(startedMs + graceSeconds * 1000);
        metadata.deletionGracePeriodSeconds = graceSeconds;
      }
    }
  } else if (graceOf) {
    graceful = true;
    graceSeconds = graceOf(object, requested === undefined ? undefined : requested < 0 ? 1 : requested);
    metadata.deletionTimestamp = formatTime(nowMs + graceSeconds * 1000);
    metadata.deletionGracePeriodSeconds = graceSeconds;
    if ((metadata.generation ?? 0) > 0) metadata.generation = metadata.generation! + 1;
  }
  const before = (metadata.finalizers ?? []).join();
  const finalizers = finalizersFor(object, options);
  if (finalizers.length > 0) metadata.finalizers = finalizers;
  else delete metadata.finalizers;
  if (!hasFinalizers(object)) return graceful && graceSeconds > 0 ? { action: "mark", object } : { action: "remove" };
  if (graceful) return { action: "mark", object };
  if (metadata.deletionTimestamp && before === finalizers.join()) return { action: "wait" };
  markDeleting(object, nowMs);
  return { action: "mark", object };
}

function markDeleting(object: KubernetesObject, nowMs: number): void {
  const { metadata } = object;
  const isNamespace = object.kind === "Namespace";
  if (!metadata.deletionTimestamp) {
    metadata.deletionTimestamp = formatTime(nowMs);
    if ((metadata.generation ?? 0) > 0) metadata.generation = metadata.generation! + 1;
  }
  if (isNamespace) {
    const namespace = object as KubernetesObject & { status?: { phase?: string } };
    namespace.status = { ...namespace.status, phase: "Terminating" };
  } else metadata.deletionGracePeriodSeconds = 0;
}
