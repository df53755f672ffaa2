// What the server fills into metadata on create and update (apiserver pkg/registry/rest: BeforeCreate, BeforeUpdate).
// Judges nothing: validation/metadata.ts does.

import { randomUUID } from "node:crypto";
import type { KubernetesObject } from "@picokube/api/meta/v1";
import { formatTime } from "@picokube/api/time";

/** Gives a new object its identity. In place. */
export function fillForCreate(
  object: KubernetesObject,
  { namespace, nowMs, hasGeneration }: { namespace: string; nowMs: number; hasGeneration: boolean },
): void {
  const { metadata } = object;
  if (namespace !== "") metadata.namespace = namespace;
  metadata.uid = randomUUID();
  metadata.creationTimestamp = formatTime(nowMs);
  metadata.resourceVersion = "";
  delete metadata.deletionTimestamp;
  delete metadata.deletionGracePeriodSeconds;
  delete metadata.selfLink;
  delete metadata.generation;
  if (hasGeneration) metadata.generation = 1;
}

/** Restores what no update may change, before validation compares the rest. In place. */
export function fillForUpdate(object: KubernetesObject, { metadata: old }: KubernetesObject): void {
  const { metadata } = object;
  metadata.namespace ??= old.namespace;
  if (metadata.namespace === undefined) delete metadata.namespace;
  metadata.uid ||= old.uid;
  metadata.creationTimestamp = old.creationTimestamp;
  keep("generation");
  keep("generateName");
  if (old.deletionTimestamp) keep("deletionTimestamp");
  if (old.deletionGracePeriodSeconds !== undefined) keep("deletionGracePeriodSeconds");
  delete metadata.selfLink;

  function keep<Field extends "generation" | "generateName" | "deletionTimestamp" | "deletionGracePeriodSeconds">(
    field: Field,
  ): void {
    if (old[field] === undefined) delete metadata[field];
    else metadata[field] = old[field];
  }
}
