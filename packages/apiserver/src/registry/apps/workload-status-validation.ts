// What may be written to the status of workloads, in upstream's words (upstream: ValidateDeploymentStatusUpdate and its
// siblings). Pure.

import type { DaemonSet, Deployment, ReplicaSet, StatefulSet } from "@picokube/api/apps/v1";
import type { ReplicationController } from "@picokube/api/core/v1";
import { type FieldError, invalidValue } from "@picokube/api/validation/field-error";
import { nonnegative } from "../check.js";

type Counts = { readonly [field: string]: unknown };

const path = (field: string) => `status.${field}`;
const count = (status: Counts, field: string) => (status[field] as number | undefined) ?? 0;

function nonnegatives(status: Counts, fields: readonly string[]): FieldError[] {
  return fields.flatMap((field) => nonnegative(path(field), status[field] as number | undefined));
}

function atMost(status: Counts, fields: readonly string[], limit: { field: string; words: string }): FieldError[] {
  return fields
    .filter((field) => count(status, field) > count(status, limit.field))
    .map((field) => invalidValue(path(field), count(status, field), `cannot be greater than ${limit.words}`));
}

function notDecremented(status: Counts, old: Counts): FieldError[] {
  const field = "collisionCount";
  const before = old[field] as number | undefined;
  return before !== undefined && count(status, field) < before
    ? [invalidValue(path(field), count(status, field), "cannot be decremented")]
    : [];
}

const replicas = { field: "replicas", words: "status.replicas" };
const readyReplicas = { field: "readyReplicas", words: "readyReplicas" };

/** A Deployment's counts fit each other, and collisions are never forgotten. */
export function validateDeploymentStatus({ status = {} }: Deployment, old: Deployment): FieldError[] {
  const counts = status as object as Counts;
  return [
    ...nonnegatives(counts, ["observedGeneration", "replicas", "updatedReplicas", "readyReplicas"]),
    ...nonnegatives(counts, ["availableReplicas", "unavailableReplicas", "terminatingReplicas", "collisionCount"]),
    ...atMost(counts, ["updatedReplicas", "readyReplicas", "availableReplicas"], replicas),
    ...atMost(counts, ["availableReplicas"], readyReplicas),
    ...notDecremented(counts, (old.status ?? {}) as object as Counts),
  ];
}

/** The counts of a ReplicaSet or ReplicationController fit each other. */
export function validateReplicaSetStatus({ status = {} as never }: ReplicaSet | ReplicationController): FieldError[] {
  const counts = status as object as Counts;
  return [
    ...nonnegatives(counts, ["replicas", "fullyLabeledReplicas", "readyReplicas", "availableReplicas"]),
    ...nonnegatives(counts, ["observedGeneration", "terminatingReplicas"]),
    ...atMost(counts, ["fullyLabeledReplicas", "readyReplicas", "availableReplicas"], replicas),
    ...atMost(counts, ["availableReplicas"], readyReplicas),
  ];
}

/** A StatefulSet's counts fit each other, and collisions are never forgotten. */
export function validateStatefulSetStatus({ status = {} as never }: StatefulSet, old: StatefulSet): FieldError[] {
  const counts = status as object as Counts;
  const fields = ["readyReplicas", "currentReplicas", "updatedReplicas", "availableReplicas"];
  return [
    ...nonnegatives(counts, ["replicas", ...fields, "observedGeneration", "collisionCount"]),
    ...atMost(counts, fields, replicas),
    ...atMost(counts, ["availableReplicas"], { ...readyReplicas, words: "status.readyReplicas" }),
    ...notDecremented(counts, (old.status ?? {}) as object as Counts),
  ];
}

/** A DaemonSet's counts are counts, and collisions are never forgotten. */
export function validateDaemonSetStatus({ status = {} as never }: DaemonSet, old: DaemonSet): FieldError[] {
  const counts = status as object as Counts;
  return [
    ...nonnegatives(counts, ["currentNumberScheduled", "numberMisscheduled", "desiredNumberScheduled", "numberReady"]),
    ...nonnegatives(counts, ["observedGeneration", "updatedNumberScheduled", "numberAvailable", "numberUnavailable"]),
    ...nonnegatives(counts, ["collisionCount"]),
    ...notDecremented(counts, (old.status ?? {}) as object as Counts),
  ];
}
