// pods/eviction: a delete that asks the pod's disruption budget first (upstream: registry/core/pod/storage/eviction.go).

import { setTimeout as sleep } from "node:timers/promises";
import { type Pod, pods } from "@picokube/api/core/v1";
import { badRequest, conflict, isConflict, notFound, StatusError } from "@picokube/api/errors";
import { isPodTerminal, withPodCondition } from "@picokube/api/pod";
import { type Eviction, type PodDisruptionBudget, poddisruptionbudgets } from "@picokube/api/policy/v1";
import type { ConnectHandler, RequestContext } from "../registry/resource-definition.js";
import {
  budgetRefusal,
  budgetsOf,
  needsNoBudget,
  stillProcessed,
  unreadyMayGo,
  withDisruptedPod,
} from "./disruption-budget.js";

// Upstream's EvictionsRetry, at a tenth of its pace.
const MAX_TRIES = 20;
const RETRY_DELAY_MS = 50;

type Preconditions = { uid?: string; resourceVersion?: string };

/** Deletes a pod as its evictor would: with grace, through admission. */
export type DeletePod = (request: {
  context: RequestContext;
  namespace: string;
  name: string;
  gracePeriodSeconds?: number;
  preconditions?: Preconditions;
}) => Promise<void>;

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
      current.status = withDisruptedPod(current, pod.metadata.name, context.now()).status!;
    });
}

/** Says on the pod why it goes; throws a conflict when it is not what the preconditions say. */
async function markDisrupted(context: RequestContext, pod: Pod, { uid, resourceVersion }: Preconditions): Promise<Pod> {
  const { namespace = "", name } = pod.metadata;
  return context.storage.for(pods).update(namespace, name, (current) => {
    const { uid: currentUid, resourceVersion: currentVersion } = current.metadata;
    if (uid !== undefined && uid !== currentUid) {
      const record = `the UID in the precondition (${uid}) does not match the UID in record (${currentUid})`;
      throw conflict(pods, name, `${record}. The object might have been deleted and then recreated`);
    }
    if (resourceVersion !== undefined && resourceVersion !== currentVersion) {
      const record = `the ResourceVersion in the precondition (${resourceVersion}) does not match the ResourceVersion in record (${currentVersion})`;
      throw conflict(pods, name, `${record}. The object might have been modified`);
    }
    const condition = {
      type: "DisruptionTarget",
      status: "True" as const,
      reason: "EvictionByEvictionAPI",
      message: "Eviction API: evicting",
    };
    const conditions = withPodCondition(current.status?.conditions, condition, context.now());
    current.status = { ...current.status, conditions };
  });
}

/** POST pods/eviction. */
export function evictionHandler({ deletePod }: { deletePod: DeletePod }): ConnectHandler {
  async function evict(
    context: RequestContext,
    pod: Pod,
    { options, unchanged }: { options: Eviction["deleteOptions"]; unchanged: boolean },
  ): Promise<void> {
    const { name, namespace = "", uid, resourceVersion } = pod.metadata;
    const { gracePeriodSeconds, preconditions: asked = {} } = options ?? {};
    let preconditions: Preconditions = { uid, ...asked };
    if (unchanged && asked.resourceVersion === undefined) preconditions = { ...preconditions, resourceVersion };
    if (!context.dryRun && pod.metadata.deletionTimestamp === undefined) {
      const marked = await markDisrupted(context, pod, preconditions);
      // That write was our own; any other since then still counts.
      if (preconditions.resourceVersion !== undefined)
        preconditions = { ...preconditions, resourceVersion: marked.metadata.resourceVersion };
    }
    const grace = gracePeriodSeconds === undefined ? {} : { gracePeriodSeconds };
    await deletePod({ context, namespace, name, ...grace, preconditions });
  }

  return {
    verbs: ["create"],
    kind: { group: "policy", version: "v1", kind: "Eviction" },
    async handle({ context, namespace, name, body }) {
      const eviction = body as Eviction;
      if (eviction.metadata?.name && eviction.metadata.name !== name) {
        throw badRequest("name in URL does not match name in Eviction object");
      }
      const options = eviction.deleteOptions;
      for (let tries = 1; ; tries++) {
        const pod = context.storage.for(pods).get(namespace, name);
        if (!pod) throw notFound(pods, name);
        if (!needsNoBudget(pod)) {
          await evictWithBudget(context, pod, options);
          break;
        }
        // A pod that waits must not become ready, and its budget's, before it is gone.
        const waits = !isPodTerminal(pod) && pod.metadata.deletionTimestamp === undefined;
        try {
          await evict(context, pod, { options, unchanged: waits });
          break;
        } catch (error) {
          const asked = options?.preconditions?.resourceVersion !== undefined;
          if (!isConflict(error) || asked || tries >= MAX_TRIES) throw error;
          await sleep(RETRY_DELAY_MS);
        }
      }
      return { code: 201, object: { kind: "Status", apiVersion: "v1", metadata: {}, status: "Success", code: 201 } };
    },
  };

  async function evictWithBudget(context: RequestContext, pod: Pod, options: Eviction["deleteOptions"]): Promise<void> {
    const all = context.storage.for(poddisruptionbudgets).list(pod.metadata.namespace);
    const [budget, ...more] = budgetsOf(pod, all);
    if (more.length > 0) {
      const message =
        "This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.";
      throw new StatusError({ code: 500, reason: "", message });
    }
    const free = budget !== undefined && unreadyMayGo(pod, budget);
    if (budget && !free) await takeFromBudget(context, pod, budget);
    try {
      await evict(context, pod, { options, unchanged: free });
    } catch (error) {
      // It may have become ready meanwhile: then its budget is to be asked.
      if (free && isConflict(error) && options?.preconditions?.resourceVersion === undefined)
        throw stillProcessed(budget.metadata.name);
      throw error;
    }
  }
}
