// pods/eviction: a delete that asks the pod's disruption budget first (upstream: registry/core/pod/storage/eviction.go).

import { type Pod, type PodStatus, pods } from "@picokube/api/core/v1";
import { badRequest, internalError, notFound, StatusError } from "@picokube/api/errors";
import { isPodReady } from "@picokube/api/pod";
import { type Eviction, type PodDisruptionBudget, poddisruptionbudgets } from "@picokube/api/policy/v1";
import { selectorFromLabelSelector } from "@picokube/api/selectors/labels";
import { formatTime } from "@picokube/api/time";
import type { ConnectHandler, RequestContext } from "../registry/resource-definition.js";

const MAX_DISRUPTED_PODS = 2000;
const RETRY_AFTER_SECONDS = 10;

/** Deletes a pod as its evictor would: with grace, through admission. */
export type DeletePod = (request: {
  context: RequestContext;
  namespace: string;
  name: string;
  gracePeriodSeconds?: number;
  preconditions?: { uid?: string; resourceVersion?: string };
}) => Promise<void>;

const refusal = (why: string, cause: string, message: string, retryAfterSeconds?: number) =>
  new StatusError({
    code: 429,
    reason: "TooManyRequests",
    message: why,
    details: {
      ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }),
      causes: [{ reason: cause, message }],
    },
  });

/** Why the budget does not let a pod go now; undefined when it does. Upstream's checkAndDecrement. */
export function budgetRefusal({ metadata, status, spec }: PodDisruptionBudget): StatusError | undefined {
  const words = "Cannot evict pod as it would violate the pod's disruption budget.";
  const observed = status?.observedGeneration ?? 0;
  const allowed = status?.disruptionsAllowed ?? 0;
  if (observed < (metadata.generation ?? 0)) {
    const why = `The disruption budget ${metadata.name} is still being processed by the server.`;
    return refusal(words, "DisruptionBudget", why, RETRY_AFTER_SECONDS);
  }
  if (allowed < 0) {
    return new StatusError({
      code: 403,
      reason: "Forbidden",
      message: `poddisruptionbudgets.policy "${metadata.name}" is forbidden: pdb disruptions allowed is negative`,
    });
  }
  if (Object.keys(status?.disruptedPods ?? {}).length > MAX_DISRUPTED_PODS) {
    return new StatusError({
      code: 403,
      reason: "Forbidden",
      message: `poddisruptionbudgets.policy "${metadata.name}" is forbidden: DisruptedPods map too big - too many evictions not confirmed by PDB controller`,
    });
  }
  if (allowed === 0) {
    const { desiredHealthy = 0, currentHealthy = 0 } = status ?? {};
    const rule =
      spec?.maxUnavailable !== undefined && currentHealthy >= desiredHealthy
        ? `The disruption budget ${metadata.name} does not allow evicting pods currently`
        : `The disruption budget ${metadata.name} needs ${desiredHealthy} healthy pods and has ${currentHealthy} currently`;
    return refusal(words, "DisruptionBudget", rule);
  }
  return undefined;
}

/** Budgets whose selector chooses the pod. */
export function budgetsOf(pod: Pod, budgets: readonly PodDisruptionBudget[]): PodDisruptionBudget[] {
  return budgets.filter(
    ({ spec }) => spec?.selector && selectorFromLabelSelector(spec.selector).matches(pod.metadata.labels),
  );
}

/** Pods that no budget protects: finished, not yet running, or on their way out. */
function needsNoBudget({ metadata, status }: Pod): boolean {
  return (
    ["Succeeded", "Failed", "Pending"].includes(status?.phase ?? "Pending") || metadata.deletionTimestamp !== undefined
  );
}

/** Whether an unready pod may go without the budget's leave. */
function unreadyMayGo(pod: Pod, { spec, status }: PodDisruptionBudget): boolean {
  if (isPodReady(pod)) return false;
  if (spec?.unhealthyPodEvictionPolicy === "AlwaysAllow") return true;
  const { currentHealthy = 0, desiredHealthy = 0 } = status ?? {};
  return currentHealthy >= desiredHealthy && desiredHealthy > 0;
}

async function takeFromBudget(context: RequestContext, pod: Pod, budget: PodDisruptionBudget): Promise<void> {
  const check = (current: PodDisruptionBudget) => {
    const refused = budgetRefusal(current);
    if (refused) throw refused;
  };
  if (context.dryRun) return check(budget);
  await context.storage
    .for(poddisruptionbudgets)
    .update(pod.metadata.namespace ?? "", budget.metadata.name, (current) => {
      check(current);
      const status = current.status!;
      current.status = {
        ...status,
        disruptionsAllowed: (status.disruptionsAllowed ?? 0) - 1,
        disruptedPods: { ...status.disruptedPods, [pod.metadata.name]: formatTime(context.now()) },
      };
    });
}

async function markDisrupted(context: RequestContext, pod: Pod): Promise<void> {
  if (context.dryRun) return;
  await context.storage.for(pods).update(pod.metadata.namespace ?? "", pod.metadata.name, (current) => {
    const others = (current.status?.conditions ?? []).filter(({ type }) => type !== "DisruptionTarget");
    const condition = {
      type: "DisruptionTarget",
      status: "True" as const,
      reason: "EvictionByEvictionAPI",
      message: "Eviction API: evicting",
      lastTransitionTime: formatTime(context.now()),
    };
    current.status = { ...(current.status as PodStatus), conditions: [...others, condition] };
  });
}

/** POST pods/eviction. */
export function evictionHandler({ deletePod }: { deletePod: DeletePod }): ConnectHandler {
  return {
    verbs: ["create"],
    kind: { group: "policy", version: "v1", kind: "Eviction" },
    async handle({ context, namespace, name, body }) {
      const eviction = body as Eviction;
      if (eviction.metadata?.name && eviction.metadata.name !== name) {
        throw badRequest("name in URL does not match name in Eviction object");
      }
      const pod = context.storage.for(pods).get(namespace, name);
      if (!pod) throw notFound(pods, name);
      const budgets = needsNoBudget(pod)
        ? []
        : budgetsOf(pod, context.storage.for(poddisruptionbudgets).list(namespace));
      if (budgets.length > 1) {
        throw internalError(
          "This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.",
        );
      }
      const [budget] = budgets;
      if (budget && !unreadyMayGo(pod, budget)) await takeFromBudget(context, pod, budget);
      if (pod.metadata.deletionTimestamp === undefined && pod.spec?.nodeName) await markDisrupted(context, pod);
      const { gracePeriodSeconds, preconditions } = eviction.deleteOptions ?? {};
      await deletePod({
        context,
        namespace,
        name,
        ...(gracePeriodSeconds === undefined ? {} : { gracePeriodSeconds }),
        preconditions: preconditions ?? { uid: pod.metadata.uid },
      });
      return { code: 201, object: { kind: "Status", apiVersion: "v1", metadata: {}, status: "Success", code: 201 } };
    },
  };
}
