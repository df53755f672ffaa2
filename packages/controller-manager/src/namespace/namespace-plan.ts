// What the deletion of a Namespace's content says of itself, and how long to wait for it. Pure: upstream's
// status_condition_utils.go and the estimates of namespaced_resources_deleter.go.

import type { Namespace, Pod } from "@picokube/api/core/v1";
import { formatTime } from "@picokube/api/time";
import { discoveryFailureMessage } from "../discovery.js";

const finalizerEstimateSeconds = 15;

type Condition = NonNullable<NonNullable<Namespace["status"]>["conditions"]>[number];

/** What one pass over the content found. */
export interface DeletionReport {
  /** Why a group's resources could not be found out, by "group/version". */
  readonly discoveryFailures: ReadonlyMap<string, string>;
  readonly contentErrors: readonly string[];
  /** Objects that are left, by "pods." or "deployments.apps". */
  readonly remaining: ReadonlyMap<string, number>;
  /** Objects that are left, by finalizer. */
  readonly finalizers: ReadonlyMap<string, number>;
}

/** The five conditions after a pass; transition times stay where the status does. */
export function namespaceConditions({
  report,
  current,
  nowMs,
}: {
  report: DeletionReport;
  current: readonly Condition[] | undefined;
  nowMs: number;
}): Condition[] {
  const list = (counts: ReadonlyMap<string, number>, words: (name: string, count: number) => string) =>
    [...counts]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, count]) => words(name, count))
      .join(", ");
  const remaining = list(report.remaining, (name, count) => `${name} has ${count} resource instances`);
  const finalizers = list(report.finalizers, (name, count) => `${name} in ${count} resource instances`);
  const { discoveryFailures, contentErrors } = report;
  const found: Omit<Condition, "lastTransitionTime">[] = [
    discoveryFailures.size > 0
      ? {
          type: "NamespaceDeletionDiscoveryFailure",
          status: "True",
          reason: "DiscoveryFailed",
          message: `Discovery failed for some groups, ${discoveryFailures.size} failing: ${discoveryFailureMessage(discoveryFailures)}`,
        }
      : {
          type: "NamespaceDeletionDiscoveryFailure",
          status: "False",
          reason: "ResourcesDiscovered",
          message: "All resources successfully discovered",
        },
    {
      type: "NamespaceDeletionGroupVersionParsingFailure",
      status: "False",
      reason: "ParsedGroupVersions",
      message: "All legacy kube types successfully parsed",
    },
    contentErrors.length > 0
      ? {
          type: "NamespaceDeletionContentFailure",
          status: "True",
          reason: "ContentDeletionFailed",
          message: `Failed to delete all resource types, ${contentErrors.length} remaining: ${contentErrors.join(", ")}`,
        }
      : {
          type: "NamespaceDeletionContentFailure",
          status: "False",
          reason: "ContentDeleted",
          message: "All content successfully deleted, may be waiting on finalization",
        },
    remaining
      ? {
          type: "NamespaceContentRemaining",
          status: "True",
          reason: "SomeResourcesRemain",
          message: `Some resources are remaining: ${remaining}`,
        }
      : {
          type: "NamespaceContentRemaining",
          status: "False",
          reason: "ContentRemoved",
          message: "All content successfully removed",
        },
    finalizers
      ? {
          type: "NamespaceFinalizersRemaining",
          status: "True",
          reason: "SomeFinalizersRemain",
          message: `Some content in the namespace has finalizers remaining: ${finalizers}`,
        }
      : {
          type: "NamespaceFinalizersRemaining",
          status: "False",
          reason: "ContentHasNoFinalizers",
          message: "All content-preserving finalizers finished",
        },
  ];
  return found.map((condition) => {
    const before = current?.find(({ type }) => type === condition.type);
    const kept = before?.status === condition.status ? before.lastTransitionTime : undefined;
    return { ...condition, lastTransitionTime: kept ?? formatTime(nowMs) } as Condition;
  });
}

/** How long the pods' grace periods may take, counted from the Namespace's deletion: 0 once that time is over. */
export function podsEstimateSeconds(
  pods: readonly Pod[],
  { deletedAtMs, nowMs }: { deletedAtMs: number; nowMs: number },
): number {
  const graces = pods
    .filter(({ status }) => status?.phase !== "Succeeded" && status?.phase !== "Failed")
    .map(({ spec }) => spec?.terminationGracePeriodSeconds ?? 0);
  const longestSeconds = Math.max(0, ...graces);
  return nowMs - deletedAtMs >= longestSeconds * 1000 ? 0 : longestSeconds;
}

/** One kind's remains: as long as its pods' grace, else as long as finalizers usually take; undefined when nothing explains them. */
export function remainsEstimateSeconds({
  graceSeconds,
  finalizerCount,
}: {
  graceSeconds: number;
  finalizerCount: number;
}): number | undefined {
  if (graceSeconds > 0) return graceSeconds;
  return finalizerCount > 0 ? finalizerEstimateSeconds : undefined;
}

/** When to look again: upstream's half of the estimate and a second, but a short estimate's first looks come sooner. */
export function requeueMs({ estimateSeconds, looks }: { estimateSeconds: number; looks: number }): number {
  const upstreamMs = (Math.floor(estimateSeconds / 2) + 1) * 1000;
  return Math.min(upstreamMs, 500 * 2 ** Math.min(looks, 10));
}
