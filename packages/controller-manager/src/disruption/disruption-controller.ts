// Keeps each PodDisruptionBudget's status: how many of its pods may be evicted now.
// Watches: PodDisruptionBudgets, Pods, and the kinds that own pods. Writes: PodDisruptionBudget status; Pod status.

import { type Pod, pods } from "@picokube/api/core/v1";
import { semanticDeepEqual } from "@picokube/api/deep-equal";
import { isConflict } from "@picokube/api/errors";
import { controllerOf } from "@picokube/api/owner";
import { type PodDisruptionBudget, poddisruptionbudgets } from "@picokube/api/policy/v1";
import { selectorFromLabelSelector } from "@picokube/api/selectors/labels";
import type { Controller } from "@picokube/client/controller";
import type { ObjectKey } from "@picokube/client/informer";
import { keyOf } from "@picokube/client/object-key";
import { runController } from "@picokube/client/run-controller";
import { mapped, self } from "@picokube/client/watch-sources";
import type { Dependencies } from "../dependencies.js";
import {
  type BudgetStatus,
  budgetStatus,
  countHealthy,
  disruptedPods,
  expectationOf,
  failedStatus,
  needsScale,
  selectorText,
} from "./budget-status.js";
import { ownerScales } from "./owner-scale.js";
import { staleDisruptionController } from "./stale-disruption.js";

/** Upstream's disruption-controller. */
export function disruptionController(dependencies: Dependencies): Controller {
  const { client, informers, clock, logger, recorder: recorderOf } = dependencies;
  const budgetInformer = informers.for(poddisruptionbudgets);
  const podInformer = informers.for(pods);
  const scales = ownerScales({ client, informers });
  const recorder = recorderOf("controllermanager");

  async function reconcile(key: ObjectKey) {
    const budget = budgetInformer.get(key);
    if (!budget) return;
    try {
      return await sync(budget);
    } catch (error) {
      if (isConflict(error)) throw error;
      await write(budget, failedStatus(budget, error as Error, clock.now()));
      throw error;
    }
  }

  async function sync(budget: PodDisruptionBudget) {
    const selector = selectorFromLabelSelector(budget.spec?.selector);
    const chosen = podInformer
      .list(budget.metadata.namespace)
      .filter(({ metadata }) => selector.matches(metadata.labels));
    if (chosen.length === 0)
      recorder.record(budget, { type: "Normal", reason: "NoPods", message: "No matching pods found" });
    const nowMs = clock.now();
    const scale = needsScale(budget) ? await scaleOf(budget, chosen) : 0;
    const expectation = expectationOf(budget, { pods: chosen.length, scale });
    const disrupted = disruptedPods(budget, chosen, nowMs);
    for (const pod of disrupted.overdue) {
      const message = `Pod was expected by PDB ${keyOf(budget)} to be deleted but it wasn't`;
      recorder.record(pod, { type: "Warning", reason: "NotDeleted", message });
    }
    const currentHealthy = countHealthy(chosen, disrupted);
    await write(budget, budgetStatus(budget, { ...expectation, currentHealthy, disrupted, nowMs }));
    const { recheckAfterMs } = disrupted;
    return recheckAfterMs === undefined ? undefined : { requeueAfterMs: recheckAfterMs + 1 };
  }

  // The sum of what the owners of the pods want, each owner once. Upstream's getExpectedScale.
  async function scaleOf(budget: PodDisruptionBudget, chosen: readonly Pod[]): Promise<number> {
    const sizes = new Map<string, number>();
    const asked = new Set<string>();
    let unmanaged = false;
    try {
      for (const pod of chosen) {
        const owner = controllerOf(pod);
        if (!owner) unmanaged = true;
        if (!owner || asked.has(owner.uid)) continue;
        asked.add(owner.uid);
        const found = await scales.find(owner, pod.metadata.namespace!);
        if (!found) throw new Error(`found no controllers for pod "${pod.metadata.name}"`);
        sizes.set(found.uid, found.replicas);
      }
    } catch (error) {
      const message = `Failed to calculate the number of expected pods: ${(error as Error).message}`;
      recorder.record(budget, { type: "Warning", reason: "CalculateExpectedPodCountFailed", message });
      throw error;
    }
    if (unmanaged) tellOfUnmanaged(budget);
    return [...sizes.values()].reduce((sum, replicas) => sum + replicas, 0);
  }

  function tellOfUnmanaged(budget: PodDisruptionBudget): void {
    const message =
      `Pods selected by this PodDisruptionBudget (selector: ${selectorText(budget.spec?.selector)}) were found to be unmanaged. ` +
      "As a result, the status of the PDB cannot be calculated correctly, which may result in undefined behavior. " +
      'To account for these pods please set ".spec.minAvailable" field of the PDB to an integer value.';
    recorder.record(budget, { type: "Warning", reason: "UnmanagedPods", message });
  }

  async function write(budget: PodDisruptionBudget, status: BudgetStatus): Promise<void> {
    if (semanticDeepEqual(status, budget.status)) return;
    await client.update(poddisruptionbudgets, { ...budget, status }, { subresource: "status" });
  }

  function budgetsOf(pod: Pod): ObjectKey[] {
    const matching = budgetInformer.list(pod.metadata.namespace).filter(({ spec }) => {
      try {
        return selectorFromLabelSelector(spec?.selector).matches(pod.metadata.labels);
      } catch {
        // Its own sync says what is wrong with it.
        return false;
      }
    });
    if (matching.length > 1) {
      const { namespace, name } = pod.metadata;
      const message = `Pod "${namespace}"/"${name}" matches multiple PodDisruptionBudgets.  Chose "${matching[0]!.metadata.name}" arbitrarily.`;
      recorder.record(pod, { type: "Warning", reason: "MultiplePodDisruptionBudgets", message });
    }
    return matching.map(keyOf);
  }

  return {
    name: "disruption-controller",
    watches: [self(budgetInformer), mapped(podInformer, budgetsOf), ...scales.watches],
    reconcile,
    run: (signal) => runController(staleDisruptionController(dependencies), { workers: 1, logger, clock, signal }),
  };
}
